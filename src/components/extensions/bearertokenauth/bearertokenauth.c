/*
 * bearertokenauth: one token, or several, in a header: added to what is sent, asked of who sends
 * here.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <holdfast/component.h>

#include "util/file_watch.h"
#include "util/header_text.h"
#include "util/time/clock.h"

#define LOOK_NS HF_NS_PER_S
#define VALUE_MAX 16384

struct bearer_config {
    const char *scheme, *token, *filename, *header;
    struct hf_string_list tokens;
    bool retries, waits;
};

struct bearer {
    struct hf_node *node;
    const struct bearer_config *config;
    char header[128];     /* in lower case */
    pthread_mutex_t lock; /* of what follows */
    struct hf_file_watch watched;
    char *file_text; /* one token a line */
};

/* As long for a wrong token as for the right one, so that nothing is learnt of it by the time it
 * takes. */
static bool equal(struct hf_slice a, struct hf_slice b)
{
    uint8_t difference = a.size != b.size;
    for (size_t i = 0; i < b.size; i++) {
        difference |= (uint8_t)(b.data[i] ^ (a.size == b.size ? a.data[i] : 0));
    }
    return difference == 0;
}

/* The next line that is not blank, without blanks around it. False at the end. */
static bool next_line(const char **at, struct hf_slice *ret_line)
{
    *at += strspn(*at, " \t\r\n");
    size_t size = strcspn(*at, "\r\n");
    *ret_line = hf_slice_of(*at, size);
    *at += size;
    while (ret_line->size > 0 && strchr(" \t", ret_line->data[ret_line->size - 1]) != NULL) {
        ret_line->size--;
    }
    return size != 0;
}

/* Under the lock. A file that cannot be read leaves the tokens of before. */
static void refresh(struct bearer *bearer)
{
    char error[512];
    char *text;
    if (bearer->config->filename == NULL ||
        !hf_file_watch_changed(&bearer->watched, hf_clock_coarse_ns(), LOOK_NS)) {
        return;
    }
    if (hf_file_watch_read(bearer->config->filename, &text, error) != HF_OK) {
        hf_node_log(bearer->node, HF_LOG_WARN, "the token stays as it was: %s", error);
        return;
    }
    free(bearer->file_text);
    bearer->file_text = text;
}

/* Visits the tokens in order: the file's, else the configuration's. Under the lock. */
static bool each_token(struct bearer *bearer, bool (*visit)(void *user, struct hf_slice token),
                       void *user)
{
    const struct bearer_config *config = bearer->config;
    refresh(bearer);
    if (config->filename != NULL) {
        const char *at = bearer->file_text;
        struct hf_slice line;
        while (at != NULL && next_line(&at, &line)) {
            if (visit(user, line)) {
                return true;
            }
        }
        return false;
    }
    if (config->token != NULL && config->token[0] != '\0' &&
        visit(user, hf_slice_text(config->token))) {
        return true;
    }
    for (size_t i = 0; i < config->tokens.count; i++) {
        if (visit(user, hf_slice_text(config->tokens.items[i]))) {
            return true;
        }
    }
    return false;
}

static bool is_token(void *user, struct hf_slice token)
{
    const struct hf_slice *shown = user;
    return equal(*shown, token);
}

/* What follows the scheme; false when the value does not begin with it. */
static bool strip_scheme(const char *scheme, struct hf_slice value, struct hf_slice *ret_token)
{
    size_t size = strlen(scheme);
    if (size == 0) {
        *ret_token = value;
        return true;
    }
    if (value.size <= size || strncasecmp((const char *)value.data, scheme, size) != 0 ||
        value.data[size] != ' ') {
        return false;
    }
    *ret_token = hf_slice_of(value.data + size + 1, value.size - size - 1);
    return true;
}

static bool check_request(void *self, const struct hf_auth_request *request,
                          struct hf_meta_writer *meta, enum hf_status *ret_status)
{
    struct bearer *bearer = self;
    struct hf_slice value = request->header(request->request, bearer->header);
    struct hf_slice shown;
    *ret_status = HF_UNAUTHENTICATED;
    if (value.size == 0 || !strip_scheme(bearer->config->scheme, value, &shown) ||
        shown.size == 0) {
        return true;
    }
    pthread_mutex_lock(&bearer->lock);
    bool known = each_token(bearer, is_token, &shown);
    pthread_mutex_unlock(&bearer->lock);
    if (known) {
        enum hf_status added = hf_meta_add(meta, HF_META_AUTH, hf_slice_text("raw"), shown);
        (void)added; /* what does not fit is left out */
        *ret_status = HF_OK;
    }
    return true;
}

struct value {
    const char *scheme;
    char text[VALUE_MAX];
    size_t size;
};

/* The first token is the one that is sent. */
static bool write_value(void *user, struct hf_slice token)
{
    struct value *value = user;
    int size =
        snprintf(value->text, sizeof(value->text), "%s%s%.*s", value->scheme,
                 value->scheme[0] != '\0' ? " " : "", (int)token.size, (const char *)token.data);
    value->size = size > 0 && (size_t)size < sizeof(value->text) ? (size_t)size : 0;
    return true;
}

static enum hf_status add_headers(void *self, struct hf_slice meta, struct hf_header_sink *sink)
{
    (void)meta;
    struct bearer *bearer = self;
    struct value value = {.scheme = bearer->config->scheme, .size = 0};
    pthread_mutex_lock(&bearer->lock);
    (void)each_token(bearer, write_value, &value);
    pthread_mutex_unlock(&bearer->lock);
    if (value.size == 0) {
        return HF_UNAUTHENTICATED; /* an empty file, for now: the data waits for its token */
    }
    enum hf_status status =
        sink->add(sink, hf_slice_text(bearer->header), hf_slice_of(value.text, value.size));
    /* A file that holds no token is no fault of the data. */
    return status == HF_INVALID ? HF_UNAUTHENTICATED : status;
}

static void close_bearer(void *self)
{
    struct bearer *bearer = self;
    free(bearer->file_text);
    pthread_mutex_destroy(&bearer->lock);
    free(bearer);
}

static enum hf_status open_bearer(struct hf_node *node, const void *config, void **ret_self,
                                  char *reterr)
{
    struct bearer *bearer = calloc(1, sizeof(*bearer));
    if (bearer == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "no memory for the extension");
        return HF_NOMEM;
    }
    bearer->node = node;
    bearer->config = config;
    pthread_mutex_init(&bearer->lock, NULL);
    bearer->watched.path = bearer->config->filename;
    snprintf(bearer->header, sizeof(bearer->header), "%s", bearer->config->header);
    for (char *at = bearer->header; *at != '\0'; at++) {
        *at = *at >= 'A' && *at <= 'Z' ? (char)(*at + 32) : *at;
    }
    if (bearer->config->filename != NULL) {
        char *text;
        enum hf_status status = hf_file_watch_read(bearer->config->filename, &text, reterr);
        if (status != HF_OK && !bearer->config->retries) {
            close_bearer(bearer);
            return status;
        }
        if (status == HF_OK) {
            free(text);
            refresh(bearer);
        } else {
            hf_node_log(node, HF_LOG_WARN, "no token yet, looking for it again: %s", reterr);
        }
    }
    *ret_self = bearer;
    return HF_OK;
}

static const char *check_config(const void *from)
{
    const struct bearer_config *config = from;
    bool has_token =
        (config->token != NULL && config->token[0] != '\0') || config->tokens.count != 0;
    if (!has_token && config->filename == NULL) {
        return "no bearer token provided: set token, tokens or filename";
    }
    if ((config->retries || config->waits) && config->filename == NULL) {
        return "retry_on_failure and wait_for_token_file need filename";
    }
    if (config->waits && !config->retries) {
        return "wait_for_token_file needs retry_on_failure::enabled";
    }
    if (config->header[0] == '\0' || strlen(config->header) > 100 ||
        !hf_header_is_name(hf_slice_text(config->header)) ||
        hf_header_is_framing(hf_slice_text(config->header))) {
        return "header: expected the name of a header";
    }
    const char *token = config->token != NULL ? config->token : "";
    for (size_t i = 0; i <= config->tokens.count; i++) {
        const char *text = i < config->tokens.count ? config->tokens.items[i] : token;
        if (!hf_header_is_value(hf_slice_text(text))) {
            return "token: expected a header's value without line ends or other control characters";
        }
    }
    return hf_header_is_value(hf_slice_text(config->scheme))
               ? NULL
               : "scheme: expected a word without control characters";
}

#define AT(member) offsetof(struct bearer_config, member)

static const struct hf_field retry_fields[] = {
    {.key = "enabled",
     .type = HF_FIELD_BOOL,
     .offset = AT(retries),
     .default_text = "false",
     .help = "Start without the file, and look for it each second; until it is there, what needs "
             "the token waits or is refused."},
    {.key = "interval", .type = HF_FIELD_IGNORED, .help = "It is looked for each second."},
    {.key = "max_retries", .type = HF_FIELD_IGNORED, .help = "It is looked for for ever."},
    {.key = "initial_interval", .type = HF_FIELD_IGNORED, .help = "It is looked for each second."},
    {.key = "randomization_factor",
     .type = HF_FIELD_IGNORED,
     .help = "It is looked for each second."},
    {.key = "multiplier", .type = HF_FIELD_IGNORED, .help = "It is looked for each second."},
    {.key = "max_interval", .type = HF_FIELD_IGNORED, .help = "It is looked for each second."},
    {.key = "max_elapsed_time", .type = HF_FIELD_IGNORED, .help = "It is looked for for ever."},
    HF_FIELDS_END,
};

static const struct hf_field fields[] = {
    {.key = "scheme",
     .type = HF_FIELD_STRING,
     .offset = AT(scheme),
     .default_text = "Bearer",
     .help = "What stands before the token."},
    {.key = "token",
     .type = HF_FIELD_SECRET,
     .offset = AT(token),
     .help = "The token; filename wins over it."},
    {.key = "tokens",
     .type = HF_FIELD_STRING_LIST,
     .is_secret = true,
     .offset = AT(tokens),
     .help = "Further tokens that are accepted."},
    {.key = "filename",
     .type = HF_FIELD_STRING,
     .offset = AT(filename),
     .help = "A file with a token a line, read again when it changes. The first is sent."},
    {.key = "retry_on_failure",
     .type = HF_FIELD_STRUCT,
     .inner = retry_fields,
     .help = "What happens while the file cannot be read at the start."},
    {.key = "wait_for_token_file",
     .type = HF_FIELD_BOOL,
     .offset = AT(waits),
     .default_text = "false",
     .help = "Accepted without effect: the start does not wait, and no data is lost meanwhile."},
    {.key = "header",
     .type = HF_FIELD_STRING,
     .offset = AT(header),
     .default_text = "Authorization",
     .help = "The header that carries it."},
    HF_FIELDS_END,
};

static const struct hf_auth auth = {.check = check_request, .headers = add_headers};

static const struct hf_extension_ops extension_ops = {
    .auth = &auth,
};

static void probe_outside(const void *from, struct hf_probe *probe)
{
    const struct bearer_config *config = from;
    hf_probe_read(probe, config->filename);
}

const struct hf_component hf_extension_bearertokenauth = {
    .type = "bearertokenauth",
    .help = "Sends and asks for a bearer token.",
    .kind = HF_EXTENSION,
    .config_size = sizeof(struct bearer_config),
    .fields = fields,
    .check = check_config,
    .probe = probe_outside,
    .open = open_bearer,
    .close = close_bearer,
    .extension = &extension_ops,
};
