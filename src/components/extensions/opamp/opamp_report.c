#include "opamp_report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "util/time/clock.h"

#define ATTRIBUTES_MAX 256u
#define HOST_NAME_MAX_SIZE 256
#define DESCRIPTION_SIZE 256

/* ---- the description ---- */

struct describing {
    struct opamp_attribute items[ATTRIBUTES_MAX];
    size_t count;
    bool include_resource;
};

/* A later value of a key stands instead of an earlier one. */
static void add(struct describing *describing, const char *key, const char *value,
                bool is_identifying)
{
    size_t at = 0;
    while (at < describing->count && strcmp(describing->items[at].key, key) != 0) {
        at++;
    }
    if (at < ATTRIBUTES_MAX) {
        describing->items[at] = (struct opamp_attribute){key, value, is_identifying};
        describing->count = at == describing->count ? at + 1 : describing->count;
    }
}

static bool is_identifying(const char *key)
{
    return strcmp(key, "service.name") == 0 || strcmp(key, "service.version") == 0 ||
           strcmp(key, "service.instance.id") == 0;
}

static void add_identity(void *user, const char *key, const char *value)
{
    if (is_identifying(key)) {
        add(user, key, value, true);
    }
}

static void add_resource(void *user, const char *key, const char *value)
{
    if (!is_identifying(key)) {
        add(user, key, value, false);
    }
}

/* "Debian GNU/Linux 12 (bookworm)"; "Linux" where nothing says it. */
static void read_os(char ret_text[DESCRIPTION_SIZE])
{
    static const char begins[] = "PRETTY_NAME=";
    char line[DESCRIPTION_SIZE];
    FILE *file = fopen("/etc/os-release", "re");
    snprintf(ret_text, DESCRIPTION_SIZE, "Linux");
    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        if (strncmp(line, begins, sizeof(begins) - 1) == 0) {
            char *value = line + sizeof(begins) - 1;
            value += strspn(value, "\"'");
            value[strcspn(value, "\"'\n")] = '\0';
            snprintf(ret_text, DESCRIPTION_SIZE, "%s", value);
        }
    }
    if (file != NULL) {
        fclose(file);
    }
}

static const char *architecture(const struct utsname *names)
{
    return strcmp(names->machine, "x86_64") == 0    ? "amd64"
           : strcmp(names->machine, "aarch64") == 0 ? "arm64"
                                                    : names->machine;
}

static void put_description(const struct opamp_report *report, struct hf_wire_writer *writer)
{
    struct describing describing = {.count = 0};
    const struct hf_string_map *own = &report->config->description.non_identifying;
    char host[HOST_NAME_MAX_SIZE] = "", os[DESCRIPTION_SIZE];
    struct utsname names = {.machine = ""};
    hf_node_view_resource(report->node, add_identity, &describing);
    if (gethostname(host, sizeof(host) - 1) == 0) {
        add(&describing, "host.name", host, false);
    }
    if (uname(&names) == 0) {
        add(&describing, "host.arch", architecture(&names), false);
    }
    read_os(os);
    add(&describing, "os.description", os, false);
    add(&describing, "os.type", "linux", false);
    for (size_t i = 0; i < own->count; i++) {
        add(&describing, own->items[i].key, own->items[i].value != NULL ? own->items[i].value : "",
            false);
    }
    if (report->config->description.include_resource) {
        hf_node_view_resource(report->node, add_resource, &describing);
    }
    opamp_put_description(writer, describing.items, describing.count);
}

/* ---- the rest ---- */

uint64_t opamp_report_capabilities(const struct opamp_config *config)
{
    uint64_t bits = OPAMP_REPORTS_STATUS;
    bits |= config->capabilities.reports_effective_config ? OPAMP_REPORTS_EFFECTIVE_CONFIG : 0;
    bits |= config->capabilities.reports_health ? OPAMP_REPORTS_HEALTH : 0;
    bits |=
        config->capabilities.reports_available_components ? OPAMP_REPORTS_AVAILABLE_COMPONENTS : 0;
    bits |= config->capabilities.accepts_restart_command ? OPAMP_ACCEPTS_RESTART_COMMAND : 0;
    return bits;
}

static enum hf_status look_at_health(struct opamp_report *report)
{
    static const struct hf_health_rule rule = {.counts_errors = false};
    struct hf_wire_writer writer = {.out = &report->seen};
    struct hf_health_tree *tree = NULL;
    enum hf_status status = hf_health_tree_new(report->node, &rule, &tree);
    report->seen.size = 0;
    if (status == HF_OK) {
        opamp_write_health(&writer, tree, report->start_unix_ns);
        status = hf_wire_status(&writer);
    }
    hf_health_tree_free(tree);
    return status;
}

bool opamp_report_is_changed(struct opamp_report *report)
{
    return report->config->capabilities.reports_health && look_at_health(report) == HF_OK &&
           !hf_slice_equal(hf_slice_of(report->seen.data, report->seen.size),
                           hf_slice_of(report->health.data, report->health.size));
}

static void put_health(struct opamp_report *report, struct hf_wire_writer *writer)
{
    struct hf_slice seen = HF_EMPTY_SLICE;
    if (look_at_health(report) == HF_OK) {
        seen = hf_slice_of(report->seen.data, report->seen.size);
        opamp_put_health(writer, seen);
    }
    report->health.size = 0;
    writer->failed |= hf_bytes_append(&report->health, seen) != HF_OK;
}

static void put_config(const struct opamp_report *report, struct hf_wire_writer *writer)
{
    char *yaml = hf_node_print_config(report->node, false);
    writer->failed |= yaml == NULL;
    if (yaml != NULL) {
        opamp_put_config(writer, yaml);
    }
    free(yaml);
}

enum hf_status opamp_report_write(struct opamp_report *report, const struct opamp_parts *parts,
                                  struct hf_slice *ret_message)
{
    const struct opamp_config *config = report->config;
    struct hf_wire_writer writer = {.out = &report->message};
    report->message.size = 0;
    opamp_put_head(&writer, &report->uid, ++report->sequence, opamp_report_capabilities(config));
    if (parts->everything) {
        put_description(report, &writer);
    }
    if (config->capabilities.reports_health && (parts->everything || parts->health)) {
        put_health(report, &writer);
    }
    if (config->capabilities.reports_effective_config && parts->everything) {
        put_config(report, &writer);
    }
    if (config->capabilities.reports_available_components &&
        (parts->everything || parts->components)) {
        writer.failed |=
            opamp_put_components(&writer, report->node, !parts->components) == HF_NOMEM;
    }
    if (parts->disconnect) {
        opamp_put_disconnect(&writer);
    }
    *ret_message = hf_slice_of(report->message.data, report->message.size);
    return hf_wire_status(&writer);
}

/* ---- its life ---- */

static void take_instance(void *user, const char *key, const char *value)
{
    struct opamp_report *report = user;
    if (strcmp(key, "service.instance.id") == 0) {
        (void)opamp_uid_read(value, &report->uid);
    }
}

void opamp_report_init(struct opamp_report *report, const struct hf_node *node,
                       const struct opamp_config *config)
{
    const char *uid = config->instance_uid;
    report->node = node;
    report->config = config;
    report->start_unix_ns = hf_clock_unix_ns();
    if (uid == NULL || !opamp_uid_read(uid, &report->uid)) {
        /* The process keeps its id over reloads, so that the server sees one agent. */
        opamp_uid_make(report->start_unix_ns, &report->uid);
        hf_node_view_resource(node, take_instance, report);
    }
}

void opamp_report_release(struct opamp_report *report)
{
    hf_bytes_release(&report->health);
    hf_bytes_release(&report->seen);
    hf_bytes_release(&report->message);
}
