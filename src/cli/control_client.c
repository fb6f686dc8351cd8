#include "control_client.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "service/control_protocol.h"

/* The value of an option, from the same word or the next; NULL: it is another word. */
static const char *value_of(const char *option, int count, char **arguments, int *at)
{
    size_t size = strlen(option);
    const char *word = arguments[*at];
    if (strncmp(word, option, size) != 0 || (word[size] != '\0' && word[size] != '=')) {
        return NULL;
    }
    if (word[size] == '=') {
        return word + size + 1;
    }
    return *at + 1 < count ? arguments[++*at] : "";
}

const char *hf_client_place_take(struct hf_client_place *place, int count, char **arguments,
                                 int *at, bool *ret_taken)
{
    const char *value = value_of("--data-dir", count, arguments, at);
    if (value != NULL) {
        *ret_taken = true;
        place->data_directory = value;
        return value[0] != '\0' ? NULL : "--data-dir needs a directory";
    }
    value = value_of("--config", count, arguments, at);
    if (value == NULL) {
        return NULL;
    }
    if (place->config_count == HF_CLIENT_CONFIGS_MAX) {
        return "too many words";
    }
    *ret_taken = true;
    place->configs[place->config_count++].uri = value;
    return value[0] != '\0' ? NULL : "--config needs a file";
}

bool hf_client_load(const struct hf_client_place *place, struct hf_config **ret_config)
{
    struct hf_finding *findings = NULL;
    size_t count = 0;
    *ret_config = NULL;
    if (place->config_count == 0) {
        return true;
    }
    const struct hf_config_options options = {.sources = place->configs,
                                              .source_count = place->config_count,
                                              .components = place->components,
                                              .partial = true};
    *ret_config = hf_config_load(&options, &findings, &count);
    if (*ret_config == NULL) {
        hf_service_print_findings(findings, count);
    }
    hf_findings_free(findings, count);
    return *ret_config != NULL;
}

char *hf_client_directory(const struct hf_client_place *place, const struct hf_config *config)
{
    struct stat info;
    bool local = stat(HF_SERVICE_LOCAL_DIRECTORY "/queue", &info) == 0 &&
                 (place->config_count == 0 || stat(HF_SERVICE_SYSTEM_DIRECTORY, &info) != 0);
    return hf_service_data_directory(
        place->data_directory, local ? HF_SERVICE_LOCAL_DIRECTORY : HF_SERVICE_SYSTEM_DIRECTORY,
        config);
}

static bool send_words(int fd, int count, char *const *words)
{
    char request[HF_CONTROL_REQUEST_MAX];
    size_t size = 0;
    for (int i = 0; i < count; i++) {
        size_t more = strlen(words[i]) + 1;
        if (more > sizeof(request) - size - 1) {
            return false;
        }
        memcpy(request + size, words[i], more);
        size += more;
    }
    request[size++] = '\0';
    return write(fd, request, size) == (ssize_t)size;
}

enum hf_exit hf_client_ask(int fd, int count, char *const *words, FILE *out)
{
    char buffer[65536];
    int held = -1; /* the last byte may be the exit code: it is kept back */
    ssize_t got;
    if (!send_words(fd, count, words)) {
        fputs("error: the running process does not answer\n", stderr);
        close(fd);
        return HF_EXIT_FAILED;
    }
    while ((got = read(fd, buffer, sizeof(buffer))) > 0) {
        if (held >= 0) {
            putc(held, out);
        }
        fwrite(buffer, 1, (size_t)got - 1, out);
        held = (unsigned char)buffer[got - 1];
    }
    close(fd);
    fflush(out);
    if (got < 0 || held < 0 || held > HF_EXIT_LAST) {
        fputs("error: the running process broke off its answer\n", stderr);
        return HF_EXIT_FAILED;
    }
    return (enum hf_exit)held;
}
