#include "convert.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config/config.h"
#include "plugins.h"
#include "util/escape.h"

#define PIPELINES_MAX 4096u

struct converting {
    struct conversion conversion;
    struct fb_config config;
    struct plugin *inputs, *filters, *outputs;
    unsigned pipelines;
};

/* ---- what needs no equal ---- */

static void pass_over(struct converting *converting, struct fb_section *section)
{
    static const struct {
        const char *key, *why; /* NULL: nothing to say */
    } rows[] = {
        {"name", NULL},
        {"match", NULL},
        {"match_regex", NULL},
        {"tag", NULL},
        {"tag_regex", NULL},
        {"tag_prefix", NULL},
        {"alias", NULL},
        {"log_level", NULL},
        {"db", "places are committed with the lines, in the queue"},
        {"db.sync", NULL},
        {"db.locking", NULL},
        {"db.journal_mode", NULL},
        {"db.compare_filename", NULL},
        {"mem_buf_limit", "what waits is on disk; sending_queue::max_bytes of exporters limits it"},
        {"storage.type", NULL},
        {"storage.total_limit_size", "set sending_queue::max_bytes of the exporter"},
        {"storage.pause_on_chunks_overlimit", NULL},
        {"retry_limit", "records are kept until the backend takes them"},
        {"skip_long_lines", "longer lines are split at max_log_size"},
        {"skip_empty_lines", NULL},
        {"buffer_chunk_size", NULL},
        {"buffer_max_size", NULL},
        {"buffer_size", NULL},
        {"chunk_size", NULL},
        {"refresh_interval", NULL},
        {"rotate_wait", NULL},
        {"inotify_watcher", NULL},
        {"ignore_older", "exclude_older_than of the receiver filelog"},
        {"offset_key", "include_file_record_offset of the receiver filelog"},
        {"workers", NULL},
        {"threaded", NULL},
        {"net.keepalive", NULL},
        {"net.keepalive_idle_timeout", NULL},
        {"net.connect_timeout", NULL},
        {"net.dns.mode", NULL},
        {"tls.debug", NULL},
        {"tls", NULL},
        {"tls.verify", NULL},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fb_property *one = NULL;
        while ((one = section->first == NULL ? NULL : fb_next(section, one, rows[i].key)) != NULL) {
            if (rows[i].why != NULL) {
                fb_tell(&converting->config, FB_NOTE, section, "%s: %s", one->key, rows[i].why);
            }
        }
    }
    for (struct fb_property *one = section->first; one != NULL; one = one->next) {
        if (!one->is_used) {
            one->is_used = true;
            fb_tell(&converting->config, FB_MISSING, section, "%s %s has no equal", one->key,
                    one->value);
        }
    }
}

/* ---- tags ---- */

static const char *tag_of(struct converting *converting, struct plugin *input, unsigned number)
{
    const char *name = fb_plugin(&converting->config, input->section);
    const char *tag = fb_get(input->section, "tag");
    if (tag != NULL) {
        return tag;
    }
    if (strcmp(name, "forward") == 0) {
        const char *prefix = fb_get_or(input->section, "tag_prefix", "");
        return fb_format(&converting->config, "%s*", prefix); /* events bring theirs */
    }
    if (strcmp(name, "opentelemetry") == 0) {
        return "v1_*";
    }
    return fb_format(&converting->config, "%s.%u", name, number);
}

static bool takes(struct converting *converting, struct plugin *plugin, const char *tag)
{
    const char *match = fb_get(plugin->section, "match");
    const char *pattern = fb_get(plugin->section, "match_regex");
    if (pattern != NULL) {
        fb_tell(&converting->config, FB_MISSING, plugin->section,
                "Match_Regex %s: it takes the records of every input", pattern);
        return true;
    }
    if (match == NULL || !convert_tags_meet(match, tag)) {
        return false;
    }
    /* The input's tag is wider than what is matched: files, or senders, of it are chosen. */
    if (strchr(tag, '*') != NULL && strcmp(match, tag) != 0 && strcmp(match, "*") != 0 &&
        strlen(match) > strlen(tag)) {
        fb_tell(&converting->config, FB_MISSING, plugin->section,
                "Match %s is narrower than the tag %s of an input: it takes all of its records",
                match, tag);
    }
    return true;
}

/* ---- pipelines ---- */

static bool has_same_way(const struct made *pipeline, const struct made *other)
{
    static const char *const keys[] = {"processors", "exporters"};
    for (size_t i = 0; i < 2; i++) {
        const struct made *lists[2] = {pipeline->first, other->first};
        for (size_t n = 0; n < 2; n++) {
            while (lists[n] != NULL && strcmp(lists[n]->key, keys[i]) != 0) {
                lists[n] = lists[n]->next;
            }
            lists[n] = lists[n] != NULL ? lists[n]->first : NULL;
        }
        while (lists[0] != NULL && lists[1] != NULL &&
               strcmp(lists[0]->text, lists[1]->text) == 0) {
            lists[0] = lists[0]->next;
            lists[1] = lists[1]->next;
        }
        if (lists[0] != NULL || lists[1] != NULL) {
            return false;
        }
    }
    return true;
}

/* The way of an input: into a pipeline of its own, or one that goes the same way. */
static bool add_pipeline(struct converting *converting, struct plugin *input, const char *tag,
                         unsigned signal, const char *signal_name)
{
    struct fb_config *config = &converting->config;
    struct made *made = made_root(config);
    struct made *receivers = made_list(made, "receivers");
    struct made *processors = NULL;
    unsigned exporters = 0;
    made_text(receivers, NULL, input->id);
    for (struct plugin *one = converting->filters; one != NULL && signal == PLUGIN_LOGS;
         one = one->next) {
        if (one->id != NULL && takes(converting, one, tag)) {
            processors = made_list(made, "processors");
            made_text(processors, NULL, one->id);
        }
    }
    for (struct plugin *one = converting->outputs; one != NULL; one = one->next) {
        if (one->id != NULL && (one->signals & signal) != 0 && takes(converting, one, tag)) {
            made_text(made_list(made, "exporters"), NULL, one->id);
            exporters++;
        }
    }
    if (exporters == 0 || made == NULL) {
        return false;
    }
    struct made *all = made_map(made_map(converting->conversion.root, "service"), "pipelines");
    size_t size = strlen(signal_name);
    unsigned count = 0;
    for (struct made *one = all != NULL ? all->first : NULL; one != NULL; one = one->next) {
        bool is_signal = strncmp(one->key, signal_name, size) == 0 &&
                         (one->key[size] == '\0' || one->key[size] == '/');
        if (is_signal && has_same_way(one, made)) {
            made_text(one->first, NULL, input->id); /* its receivers come first */
            return true;
        }
        count += is_signal ? 1 : 0;
    }
    struct made *place = made_map(
        all, count == 0 ? signal_name : fb_format(config, "%s/%u", signal_name, count + 1));
    if (place != NULL) {
        place->first = made->first;
        place->last = made->last;
    }
    return true;
}

static void route(struct converting *converting, struct plugin *input, unsigned number)
{
    const char *tag = tag_of(converting, input, number);
    static const struct {
        enum plugin_signal signal;
        const char *name;
    } rows[] = {{PLUGIN_LOGS, "logs"}, {PLUGIN_METRICS, "metrics"}, {PLUGIN_TRACES, "traces"}};
    bool is_routed = false;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) && input->id != NULL; i++) {
        if ((input->signals & rows[i].signal) != 0) {
            is_routed =
                add_pipeline(converting, input, tag, rows[i].signal, rows[i].name) || is_routed;
        }
    }
    if (input->id != NULL && !is_routed) {
        fb_tell(&converting->config, FB_MISSING, input->section,
                "no output that could be converted takes its tag %s", tag);
    }
}

/* ---- sections ---- */

static void take_service(struct converting *converting, struct fb_section *section)
{
    struct made *root = converting->conversion.root;
    const char *level = fb_get(section, "log_level");
    static const char *const needless[] = {"flush",
                                           "grace",
                                           "daemon",
                                           "parsers_file",
                                           "plugins_file",
                                           "http_listen",
                                           "http_port",
                                           "coro_stack_size",
                                           "scheduler.cap",
                                           "scheduler.base",
                                           "streams_file",
                                           "hot_reload",
                                           "storage.sync",
                                           "storage.checksum",
                                           "storage.metrics",
                                           "storage.backlog.mem_limit",
                                           "storage.max_chunks_up",
                                           "health_check",
                                           "json.convert_nan_to_null",
                                           "sp.convert_from_str_to_num",
                                           "dns.mode",
                                           "log_file"};
    if (level != NULL && strcasecmp(level, "off") != 0) {
        bool is_debug = strcasecmp(level, "debug") == 0 || strcasecmp(level, "trace") == 0;
        made_text(made_map(made_map(made_map(root, "service"), "telemetry"), "logs"), "level",
                  is_debug                              ? "debug"
                  : strncasecmp(level, "warn", 4) == 0  ? "warn"
                  : strncasecmp(level, "error", 5) == 0 ? "error"
                                                        : "info");
    }
    if (fb_is_on(section, "http_server", false)) {
        const char *host = fb_get_or(section, "http_listen", "0.0.0.0");
        made_text(
            made_map(made_map(root, "extensions"), "health_check"), "endpoint",
            fb_format(&converting->config, "%s:%s", host, fb_get_or(section, "http_port", "2020")));
        made_text(made_list(made_map(root, "service"), "extensions"), NULL, "health_check");
        fb_tell(&converting->config, FB_NOTE, section,
                "HTTP_Server: its port answers health checks; metrics are on localhost:8888");
    }
    if (fb_get(section, "storage.path") != NULL) {
        fb_tell(&converting->config, FB_NOTE, section,
                "storage.path: the queue is in --data-dir, or file_storage::directory");
    }
    for (size_t i = 0; i < sizeof(needless) / sizeof(needless[0]); i++) {
        (void)fb_get(section, needless[i]);
    }
    pass_over(converting, section);
}

static void read_parsers(struct converting *converting)
{
    struct fb_config *config = &converting->config;
    for (struct fb_section *one = config->first; one != NULL; one = one->next) {
        for (struct fb_property *file = NULL;
             one->kind == FB_SERVICE && (file = fb_next(one, file, "parsers_file")) != NULL;) {
            fb_read_file(config, fb_beside(config, one->file, file->value), 1);
        }
    }
}

/* The filter multiline joins what an input tail has read: it is an operator of that. */
static void give_multiline(struct converting *converting, struct fb_section *filter)
{
    struct fb_config *config = &converting->config;
    const char *parser = fb_get(filter, "multiline.parser"), *match = fb_get(filter, "match");
    unsigned given = 0;
    for (struct plugin *input = converting->inputs; input != NULL && parser != NULL;
         input = input->next) {
        if (strcmp(fb_plugin(config, input->section), "tail") == 0 && match != NULL &&
            convert_tags_meet(match, tag_of(converting, input, 0))) {
            fb_add_property(config, input->section, hf_slice_text("filter.multiline"),
                            hf_slice_text(parser));
            given++;
        }
    }
    (void)fb_get(filter, "multiline.key_content");
    (void)fb_get(filter, "buffer");
    (void)fb_get(filter, "mode");
    (void)fb_get(filter, "flush_ms");
    (void)fb_get(filter, "emitter_mem_buf_limit");
    (void)fb_get(filter, "emitter_name");
    if (given == 0) {
        fb_tell(config, FB_MISSING, filter, "only what an input tail reads can be joined");
    }
}

static struct plugin *list_plugins(struct converting *converting, enum fb_kind kind)
{
    struct plugin *first = NULL, **last = &first;
    for (struct fb_section *one = converting->config.first; one != NULL; one = one->next) {
        struct plugin *plugin =
            one->kind == kind ? hf_arena_take(&converting->config.arena, sizeof(*plugin)) : NULL;
        if (plugin != NULL) {
            *plugin = (struct plugin){.section = one};
            *last = plugin;
            last = &plugin->next;
        }
    }
    return first;
}

static void convert_all(struct converting *converting)
{
    struct conversion *conversion = &converting->conversion;
    struct fb_config *config = &converting->config;
    static const char *const order[] = {"receivers", "processors", "exporters"};
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
        (void)made_map(conversion->root, order[i]);
    }
    converting->inputs = list_plugins(converting, FB_INPUT);
    converting->filters = list_plugins(converting, FB_FILTER);
    converting->outputs = list_plugins(converting, FB_OUTPUT);
    for (struct fb_section *one = config->first; one != NULL; one = one->next) {
        if (one->kind == FB_SERVICE) {
            take_service(converting, one);
        } else if (one->kind == FB_OTHER) {
            fb_tell(config, FB_MISSING, one, "the section has no equal");
        }
    }
    for (struct plugin *one = converting->filters; one != NULL; one = one->next) {
        if (strcmp(fb_plugin(config, one->section), "multiline") == 0) {
            give_multiline(converting, one->section);
        } else if (one->id == NULL) {
            convert_filter(conversion, one);
        }
    }
    for (struct plugin *one = converting->inputs; one != NULL; one = one->next) {
        convert_input(conversion, one);
    }
    for (struct plugin *one = converting->outputs; one != NULL; one = one->next) {
        convert_output(conversion, one);
    }
    unsigned number = 0;
    for (struct plugin *one = converting->inputs; one != NULL; one = one->next) {
        route(converting, one, number++);
    }
    for (struct fb_section *one = config->first; one != NULL; one = one->next) {
        if (one->kind == FB_INPUT || one->kind == FB_FILTER || one->kind == FB_OUTPUT) {
            pass_over(converting, one);
        }
    }
}

/* ---- the result ---- */

/* What is not set here will be where it runs; 1 is a host, a port and a word. */
static const char *get_variable(const char *name)
{
    const char *value = getenv(name);
    bool is_own = strncmp(name, "HOLDFAST_", 9) == 0; /* not of the file */
    return is_own || (value != NULL && value[0] != '\0') ? value : "1";
}

/* Whether the result is a configuration that runs; what is wrong with it is an error of ours, or a
 * value that nothing here knows. */
static void validate(struct converting *converting, const struct hf_convert_options *options,
                     const char *text)
{
    const char *uri = fb_format(&converting->config, "yaml:%s", text);
    const struct hf_config_source source = {.uri = uri};
    const struct hf_config_options config = {.sources = &source,
                                             .source_count = 1,
                                             .components = options->components,
                                             .getenv = get_variable};
    struct hf_finding *findings = NULL;
    size_t count = 0;
    hf_config_free(hf_config_load(&config, &findings, &count));
    for (size_t i = 0; i < count; i++) {
        if (findings[i].kind == HF_FINDING_ERROR) {
            fb_tell(&converting->config, FB_MISSING, NULL, "the result is not valid yet: %s",
                    findings[i].text);
        }
    }
    hf_findings_free(findings, count);
}

static void report(const struct converting *converting, FILE *out)
{
    static const char *const weights[] = {
        [FB_NOTE] = "note", [FB_MISSING] = "left out", [FB_ERROR] = "error"};
    for (const struct fb_finding *one = converting->config.findings; one != NULL; one = one->next) {
        fprintf(out, "%s: ", weights[one->weight]);
        hf_escape_print(HF_ESCAPE_LINE, hf_slice_text(one->text), out);
        fputc('\n', out);
    }
}

enum hf_convert_verdict hf_convert_run(const struct hf_convert_options *options)
{
    struct converting converting = {.pipelines = 0};
    struct fb_config *config = &converting.config;
    enum hf_convert_verdict verdict = HF_CONVERT_UNUSABLE;
    fb_init(config);
    fb_read_file(config, options->path, 0);
    read_parsers(&converting);
    converting.conversion = (struct conversion){config, made_root(config)};
    if (!config->has_error) {
        convert_all(&converting);
    }
    char *text = config->has_error ? NULL : made_print(converting.conversion.root);
    if (text != NULL && !config->no_memory) {
        validate(&converting, options, text);
        fputs(text, options->out);
        verdict = config->has_missing ? HF_CONVERT_IN_PART : HF_CONVERT_WHOLE;
    } else if (!config->has_error) {
        fb_tell(config, FB_ERROR, NULL, "out of memory");
    }
    report(&converting, options->report);
    free(text);
    fb_release(config);
    return verdict;
}
