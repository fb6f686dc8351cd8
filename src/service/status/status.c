#include "status.h"

#include <string.h>

#include "sections.h"
#include "service/queue/output.h"
#include "util/time/clock.h"

static void write_reloads(const struct hf_status_source *source, struct hf_json_out *json)
{
    hf_reloads_write(source->reloads, json, "reloads");
}

static const struct section {
    const char *name;
    void (*write)(const struct hf_status_source *source, struct hf_json_out *json);
} sections[] = {{"process", hf_status_process},     {"components", hf_status_components},
                {"pipelines", hf_status_pipelines}, {"queues", hf_status_queues},
                {"exporters", hf_status_exporters}, {"certificates", hf_status_certificates},
                {"reloads", write_reloads}};

#define SECTION_COUNT (sizeof(sections) / sizeof(sections[0]))

static bool is_section(const char *word)
{
    for (size_t i = 0; i < SECTION_COUNT; i++) {
        if (strcmp(sections[i].name, word) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_wanted(const char *name, int count, char *const *words)
{
    for (int i = 1; i < count; i++) {
        if (strcmp(words[i], name) == 0) {
            return true;
        }
    }
    return count == 1;
}

enum hf_exit hf_status_command(const struct hf_status_source *source, int count, char *const *words,
                               FILE *out)
{
    struct hf_json_out json = {.out = out};
    for (int i = 1; i < count; i++) {
        if (!is_section(words[i])) {
            hf_queue_say(out,
                         "error: status has no section %s; it has process, components, pipelines, "
                         "queues, exporters, certificates and reloads\n",
                         words[i]);
            return HF_EXIT_USAGE;
        }
    }
    hf_json_out_map(&json, NULL);
    hf_json_out_number(&json, "protocol", HF_STATUS_PROTOCOL);
    hf_json_out_seconds(&json, "time_seconds", hf_clock_unix_ns());
    hf_json_out_seconds(&json, "monotonic_seconds", hf_clock_monotonic_ns());
    for (size_t i = 0; i < SECTION_COUNT; i++) {
        if (is_wanted(sections[i].name, count, words)) {
            sections[i].write(source, &json);
        }
    }
    hf_json_out_end_map(&json);
    fputc('\n', out);
    return HF_EXIT_OK;
}
