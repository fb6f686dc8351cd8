/*
 * process: the section of `status` about the process itself.
 */
#include <unistd.h>

#include "sections.h"
#include "service/process.h"
#include "storage/storage.h"

static bool is_ready(const struct hf_status_source *source, char *ret_why)
{
    if (source->graph == NULL) {
        snprintf(ret_why, HF_ERROR_MAX, "starting or stopping");
        return false;
    }
    return hf_graph_is_durable(source->graph, ret_why);
}

static void write_memory(struct hf_json_out *json, const struct hf_process_look *look)
{
    hf_json_out_map(json, "memory");
    hf_json_out_number(json, "resident_bytes", look->resident_bytes);
    hf_json_out_number(json, "heap_bytes", look->heap_bytes);
    hf_json_out_number(json, "mapped_bytes", look->mapped_bytes);
    hf_json_out_end_map(json);
}

void hf_status_process(const struct hf_status_source *source, struct hf_json_out *json)
{
    char why[HF_ERROR_MAX] = "";
    struct hf_process_look look;
    const struct hf_storage *store = source->host->store;
    bool ready = is_ready(source, why);
    hf_process_look(&look);
    hf_json_out_map(json, "process");
    hf_json_out_text(json, "version", HF_VERSION);
    hf_json_out_number(json, "pid", (uint64_t)getpid());
    hf_json_out_seconds(json, "start_seconds", source->started_ns);
    hf_json_out_seconds(json, "uptime_seconds", source->uptime_ns);
    hf_json_out_text(json, "data_directory", hf_storage_directory(store));
    hf_json_out_bool(json, "ephemeral", source->is_ephemeral);
    hf_json_out_bool(json, "ready", ready);
    hf_json_out_text(json, "why_not_ready", ready ? NULL : why);
    hf_json_out_bool(json, "degraded",
                     source->graph != NULL && hf_graph_is_degraded(source->graph));
    hf_json_out_number(json, "open_tails", atomic_load(&source->host->open_taps));
    hf_json_out_bool(json, "draining", hf_storage_is_draining(store));
    hf_json_out_double(json, "cpu_seconds", (double)look.cpu_us / 1e6);
    write_memory(json, &look);
    hf_json_out_end_map(json);
}
