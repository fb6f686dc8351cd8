#include "note.h"

#include <stdio.h>

#include "util/time/clock.h"

static uint64_t waiting(const struct hf_json *queue)
{
    uint64_t most = 0;
    for (const struct hf_json *at = hf_json_first(hf_json_get(queue, "consumers")); at != NULL;
         at = at->next) {
        uint64_t items = (uint64_t)hf_json_int(hf_json_get(hf_json_get(at, "queued"), "items"));
        most = items > most ? items : most;
    }
    return most;
}

void hf_console_note(struct hf_console_history *history, const struct hf_console_snapshot *snapshot)
{
    struct hf_console_point point = {.minute =
                                         (uint32_t)(snapshot->taken_unix_ns / HF_NS_PER_S / 60)};
    for (const struct hf_json *at = hf_json_first(hf_json_get(snapshot->root, "queues"));
         at != NULL; at = at->next) {
        struct hf_slice kind = hf_json_text_of(at, "kind"), id = hf_json_text_of(at, "id");
        char name[300];
        int size = snprintf(name, sizeof(name), "%.*s:%.*s", (int)kind.size,
                            (const char *)kind.data, (int)id.size, (const char *)id.data);
        point.items = waiting(at);
        point.disk_bytes = (uint64_t)hf_json_int(hf_json_get(at, "disk_bytes"));
        if (size > 0 && (size_t)size < sizeof(name)) {
            hf_console_history_record(history, name, &point);
        }
    }
}
