#include "control_client.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "service/config_fetch.h"
#include "service/control_protocol.h"

#define FETCH_TIMEOUT_S 3
#define FETCH_BYTES_MAX (256u << 20)

const char *hf_client_value(const char *option, int count, char **arguments, int *at)
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
    const char *value = hf_client_value("--data-dir", count, arguments, at);
    if (value != NULL) {
        *ret_taken = true;
        place->data_directory = value;
        return value[0] != '\0' ? NULL : "--data-dir needs a directory";
    }
    value = hf_client_value("--config", count, arguments, at);
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
                                              .fetch = hf_config_fetch,
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

char *hf_client_find(const struct hf_client_place *place)
{
    struct hf_config *config = NULL;
    if (!hf_client_load(place, &config)) {
        return NULL;
    }
    char *directory = hf_client_directory(place, config);
    hf_config_free(config);
    if (directory == NULL) {
        fputs("error: out of memory\n", stderr);
    }
    return directory;
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
    return send(fd, request, size, MSG_NOSIGNAL) == (ssize_t)size;
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
        if (held > HF_EXIT_LAST) { /* the end of a line, of an answer that goes on */
            putc(held, out);
            held = -1;
        }
        if (fflush(out) != 0) {
            break; /* no one reads on */
        }
    }
    close(fd);
    fflush(out);
    if (got < 0 || held < 0 || held > HF_EXIT_LAST) {
        fputs("error: the running process broke off its answer\n", stderr);
        return HF_EXIT_FAILED;
    }
    return (enum hf_exit)held;
}

/* The stream to its end. HF_IO: it was not all there in time. */
static enum hf_status read_all(int fd, char **ret_text, size_t *ret_size)
{
    size_t size = 0;
    FILE *out = open_memstream(ret_text, &size);
    char buffer[65536];
    ssize_t got = 0;
    if (out == NULL) {
        *ret_text = NULL;
        return HF_NOMEM;
    }
    while ((got = read(fd, buffer, sizeof(buffer))) > 0 && size < FETCH_BYTES_MAX) {
        fwrite(buffer, 1, (size_t)got, out);
        fflush(out);
    }
    if (fclose(out) != 0) {
        return HF_NOMEM;
    }
    *ret_size = size;
    return got == 0 ? HF_OK : HF_IO;
}

enum hf_status hf_client_fetch(const char *directory, int count, char *const *words,
                               char **ret_text, size_t *ret_size, char *reterr, size_t room)
{
    const struct timeval patience = {FETCH_TIMEOUT_S, 0};
    char *text = NULL;
    size_t size = 0;
    int fd = hf_control_socket(directory, 0);
    if (fd < 0) {
        snprintf(reterr, room, "no Holdfast runs on the data directory %s", directory);
        return HF_CLOSED;
    }
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    enum hf_status status = send_words(fd, count, words) ? read_all(fd, &text, &size) : HF_IO;
    close(fd);
    if (status == HF_OK && size > 0 && text[size - 1] == HF_EXIT_OK) {
        text[size - 1] = '\0';
        *ret_text = text;
        *ret_size = size - 1;
        return HF_OK;
    }
    if (status == HF_OK && size > 1) {
        snprintf(reterr, room, "the process says: %.*s", (int)(size - 1), text);
    } else {
        snprintf(reterr, room, "%s",
                 status == HF_NOMEM ? "out of memory" : "the process does not answer in time");
    }
    free(text);
    return status == HF_OK ? HF_INVALID : status;
}
