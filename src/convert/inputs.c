/*
 * inputs: receivers of inputs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "plugins.h"

/* A list that is separated by commas. */
static void add_words(struct made *list, const char *text)
{
    while (text != NULL && *text != '\0') {
        size_t size = strcspn(text, ",");
        size_t from = strspn(text, " \t");
        size_t end = size;
        while (end > from && (text[end - 1] == ' ' || text[end - 1] == '\t')) {
            end--;
        }
        if (end > from) {
            made_text(list, NULL, fb_copy(list->config, hf_slice_of(text + from, end - from)));
        }
        text += text[size] == ',' ? size + 1 : size;
    }
}

static const char *endpoint(struct conversion *conversion, struct fb_section *section,
                            const char *port)
{
    return fb_format(conversion->config, "%s:%s", fb_get_or(section, "listen", "0.0.0.0"),
                     fb_get_or(section, "port", port));
}

/* tls of a server. */
static void add_tls(struct conversion *conversion, struct made *parent, struct fb_section *section)
{
    if (!fb_is_on(section, "tls", false)) {
        return;
    }
    struct made *tls = made_map(parent, "tls");
    made_text_if(tls, "cert_file", fb_get(section, "tls.crt_file"));
    made_text_if(tls, "key_file", fb_get(section, "tls.key_file"));
    if (fb_is_on(section, "tls.verify_client_cert", false)) {
        made_text_if(tls, "client_ca_file", fb_get(section, "tls.ca_file"));
    }
    if (fb_get(section, "tls.key_passwd") != NULL) {
        fb_tell(conversion->config, FB_MISSING, section, "a key with a password has no equal");
    }
}

/* ---- tail ---- */

static bool is_container(const char *word)
{
    return strcasecmp(word, "docker") == 0 || strcasecmp(word, "cri") == 0;
}

static void take_multiline(struct conversion *conversion, struct made *receiver,
                           struct made *operators, struct fb_section *section)
{
    const char *names = fb_get(section, "multiline.parser");
    char word[128];
    bool has_container = false;
    while (names != NULL && *names != '\0') {
        size_t size = strcspn(names, ", ");
        snprintf(word, sizeof(word), "%.*s", (int)(size < 127 ? size : 127), names);
        names += size + strspn(names + size, ", ");
        if (size == 0) {
            continue;
        }
        if (is_container(word) && !has_container) {
            struct made *step = made_map(operators, NULL);
            made_text(step, "type", "container"); /* it tells the formats apart */
            has_container = true;
        } else if (!is_container(word)) {
            const char *pattern = convert_multiline(conversion, section, word);
            if (pattern != NULL && !made_has(receiver, "multiline")) {
                made_text(made_map(receiver, "multiline"), "line_start_pattern", pattern);
            }
        }
    }
}

static void take_older_multiline(struct conversion *conversion, struct made *receiver,
                                 struct fb_section *section)
{
    const char *first = fb_get(section, "parser_firstline");
    struct fb_section *parser =
        first != NULL ? fb_find(conversion->config, FB_PARSER, first) : NULL;
    bool is_on = fb_is_on(section, "multiline", false);
    if (is_on && parser != NULL) {
        made_text(made_map(receiver, "multiline"), "line_start_pattern",
                  convert_pattern(conversion->config, fb_get_or(parser, "regex", "^\\S")));
    } else if (is_on) {
        fb_tell(conversion->config, FB_MISSING, section,
                "Multiline without a Parser_Firstline that was read");
    }
    if (fb_is_on(section, "docker_mode", false)) {
        fb_tell(conversion->config, FB_NOTE, section,
                "Docker_Mode: the operator container joins the parts of a line");
    }
    (void)fb_get(section, "multiline_flush");
    (void)fb_get(section, "docker_mode_flush");
}

/* Joined behind the operator container, which takes the lines apart. */
static void take_filter_multiline(struct conversion *conversion, struct made *operators,
                                  struct fb_section *section)
{
    const char *name = fb_get(section, "filter.multiline");
    const char *pattern = name != NULL ? convert_multiline(conversion, section, name) : NULL;
    if (pattern == NULL) {
        return;
    }
    struct made *step = made_map(operators, NULL);
    made_text(step, "type", "recombine");
    made_text(step, "combine_field", "body");
    made_text(
        step, "is_first_entry",
        fb_format(conversion->config, "body matches %s", ottl_text(conversion->config, pattern)));
    made_text(step, "source_identifier", "attributes[\"log.file.name\"]");
}

/* The operator container reads names of pods out of paths of /var/log/pods. */
static void fit_to_container(struct conversion *conversion, struct made *receiver,
                             struct made *operators, struct fb_section *section)
{
    const char *path = fb_get_or(section, "path", "");
    struct made *step = operators->first;
    while (step != NULL && !(step->first != NULL && step->first->text != NULL &&
                             strcmp(step->first->text, "container") == 0)) {
        step = step->next;
    }
    if (step == NULL) {
        return;
    }
    if (strncmp(path, "/var/log/pods/", 14) == 0) {
        if (!made_has(receiver, "include_file_path")) {
            made_word(receiver, "include_file_path", "true");
        }
    } else {
        made_word(step, "add_metadata_from_filepath", "false");
        fb_tell(conversion->config, FB_NOTE, section,
                "Path %s: names of pods come from paths such as /var/log/pods/*/*/*.log", path);
    }
}

/* What makes records of the lines: the operators of the receiver. */
static void take_line_operators(struct conversion *conversion, struct made *receiver,
                                struct fb_section *section, const char *path_key)
{
    struct made probe = {.kind = MADE_LIST, .config = conversion->config};
    probe.last = &probe.first;
    take_multiline(conversion, receiver, &probe, section);
    take_older_multiline(conversion, receiver, section);
    take_filter_multiline(conversion, &probe, section);
    const char *parser = fb_get(section, "parser");
    if (parser != NULL) {
        (void)convert_parser_operators(conversion, &probe, section, parser);
    }
    fit_to_container(conversion, receiver, &probe, section);
    if (path_key != NULL && strcmp(path_key, "log.file.path") != 0) {
        struct made *step = made_map(&probe, NULL);
        made_text(step, "type", "move");
        made_text(step, "from", "attributes[\"log.file.path\"]");
        made_text(step, "to",
                  fb_format(conversion->config, "attributes[%s]",
                            ottl_text(conversion->config, path_key)));
    }
    if (probe.first != NULL) {
        struct made *operators = made_list(receiver, "operators");
        if (operators != NULL) {
            operators->first = probe.first;
            operators->last = probe.last;
        }
    }
}

static void take_tail(struct conversion *conversion, struct plugin *input)
{
    struct fb_section *section = input->section;
    struct made *receiver = convert_component(conversion, "receivers", "filelog", input);
    const char *path = fb_get_or(section, "path", "");
    if (strcmp(path, "/var/log/containers/*.log") == 0) {
        path = "/var/log/pods/*/*/*.log"; /* what those links lead to */
        struct fb_property *written = fb_next(section, NULL, "path");
        written->value = path;
    }
    add_words(made_list(receiver, "include"), path);
    const char *exclude = fb_get(section, "exclude_path");
    if (exclude != NULL) {
        add_words(made_list(receiver, "exclude"), exclude);
    }
    made_text(receiver, "start_at",
              fb_is_on(section, "read_from_head", false) ? "beginning" : "end");
    const char *path_key = fb_get(section, "path_key");
    if (path_key != NULL) {
        made_word(receiver, "include_file_path", "true");
    }
    const char *most = fb_get(section, "buffer_max_size");
    if (most != NULL) {
        bool is_thousand = strpbrk(most, "kK") != NULL, is_million = strpbrk(most, "mM") != NULL;
        made_text(receiver, "max_log_size",
                  fb_format(conversion->config, "%ld%s", strtol(most, NULL, 10),
                            is_thousand  ? "KiB"
                            : is_million ? "MiB"
                                         : ""));
    }
    take_line_operators(conversion, receiver, section, path_key);
    const char *key = fb_get_or(section, "key", "log");
    if (!ottl_is_body(key)) {
        fb_tell(conversion->config, FB_NOTE, section, "Key %s: the line is the body of a record",
                key);
    }
}

/* ---- the others ---- */

static void take_forward(struct conversion *conversion, struct plugin *input)
{
    struct fb_section *section = input->section;
    struct made *receiver = convert_component(conversion, "receivers", "fluentforward", input);
    const char *path = fb_get(section, "unix_path");
    made_text(receiver, "endpoint",
              path != NULL ? fb_format(conversion->config, "unix://%s", path)
                           : endpoint(conversion, section, "24224"));
    if (fb_get(section, "shared_key") != NULL || fb_get(section, "security.users") != NULL ||
        fb_is_on(section, "tls", false)) {
        fb_tell(
            conversion->config, FB_MISSING, section,
            "the receiver fluentforward has no TLS, users or shared key: put it behind a proxy, "
            "or let the senders use OTLP");
    }
}

static void take_syslog(struct conversion *conversion, struct plugin *input)
{
    struct fb_section *section = input->section;
    const char *mode = fb_get_or(section, "mode", "unix_udp");
    const char *parser = fb_get_or(section, "parser", "syslog-rfc5424");
    if (strncasecmp(mode, "unix", 4) == 0) {
        (void)fb_get(section, "path");
        fb_tell(conversion->config, FB_MISSING, section,
                "Mode %s: the receiver syslog has no Unix sockets; use tcp or udp, or journald",
                mode);
        return;
    }
    struct made *receiver = convert_component(conversion, "receivers", "syslog", input);
    made_text(receiver, "protocol",
              strstr(parser, "3164") != NULL || strstr(parser, "local") != NULL ? "rfc3164"
                                                                                : "rfc5424");
    struct made *transport = made_map(receiver, strcasecmp(mode, "udp") == 0 ? "udp" : "tcp");
    made_text(transport, "listen_address", endpoint(conversion, section, "5140"));
    add_tls(conversion, transport, section);
}

static void take_systemd(struct conversion *conversion, struct plugin *input)
{
    struct fb_section *section = input->section;
    struct made *receiver = convert_component(conversion, "receivers", "journald", input);
    made_text_if(receiver, "directory", fb_get(section, "path"));
    made_text(receiver, "start_at",
              fb_is_on(section, "read_from_tail", false) ? "end" : "beginning");
    made_text(receiver, "priority", "debug");
    for (struct fb_property *one = NULL; (one = fb_next(section, one, "systemd_filter")) != NULL;) {
        const char *equal = strchr(one->value, '=');
        if (equal == NULL) {
            fb_tell(conversion->config, FB_MISSING, section, "Systemd_Filter %s is no FIELD=value",
                    one->value);
            continue;
        }
        struct made *match = made_map(made_list(receiver, "matches"), NULL);
        made_text(
            match,
            fb_copy(conversion->config, hf_slice_of(one->value, (size_t)(equal - one->value))),
            equal + 1);
    }
    if (strcasecmp(fb_get_or(section, "systemd_filter_type", "or"), "and") == 0) {
        fb_tell(conversion->config, FB_MISSING, section,
                "Systemd_Filter_Type And: write all fields into one map of matches");
    }
    fb_tell(conversion->config, FB_NOTE, section,
            "the fields of an entry are the body of its record: body[\"MESSAGE\"]");
    (void)fb_get(section, "strip_underscores");
    (void)fb_get(section, "lowercase");
    (void)fb_get(section, "max_fields");
    (void)fb_get(section, "max_entries");
}

static void take_tcp(struct conversion *conversion, struct plugin *input)
{
    struct fb_section *section = input->section;
    struct made *receiver = convert_component(conversion, "receivers", "tcplog", input);
    made_text(receiver, "listen_address", endpoint(conversion, section, "5170"));
    add_tls(conversion, receiver, section);
    if (strcasecmp(fb_get_or(section, "format", "json"), "json") == 0) {
        struct made *step = made_map(made_list(receiver, "operators"), NULL);
        made_text(step, "type", "json_parser");
        made_text(step, "on_error", "send_quiet");
    }
    if (fb_get(section, "separator") != NULL) {
        fb_tell(conversion->config, FB_NOTE, section, "Separator: messages are lines");
    }
}

static void take_opentelemetry(struct conversion *conversion, struct plugin *input)
{
    struct fb_section *section = input->section;
    struct made *receiver = convert_component(conversion, "receivers", "otlp", input);
    struct made *http = made_map(made_map(receiver, "protocols"), "http");
    made_text(http, "endpoint", endpoint(conversion, section, "4318"));
    add_tls(conversion, http, section);
    input->signals = PLUGIN_LOGS | PLUGIN_METRICS | PLUGIN_TRACES;
    (void)fb_get(section, "tag_from_uri");
    (void)fb_get(section, "raw_traces");
    (void)fb_get(section, "successful_response_code");
}

void convert_input(struct conversion *conversion, struct plugin *input)
{
    static const struct {
        const char *name;
        void (*take)(struct conversion *conversion, struct plugin *input);
    } rows[] = {{"tail", take_tail},     {"forward", take_forward},
                {"syslog", take_syslog}, {"systemd", take_systemd},
                {"tcp", take_tcp},       {"opentelemetry", take_opentelemetry}};
    const char *name = fb_plugin(conversion->config, input->section);
    input->signals = PLUGIN_LOGS;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (strcmp(rows[i].name, name) == 0) {
            rows[i].take(conversion, input);
            return;
        }
    }
    bool is_http = strcmp(name, "http") == 0;
    fb_tell(conversion->config, FB_MISSING, input->section,
            is_http ? "there is no receiver of plain JSON over HTTP: let the senders use OTLP"
                    : "the input has no equal here");
    for (struct fb_property *one = input->section->first; one != NULL; one = one->next) {
        one->is_used = true;
    }
}
