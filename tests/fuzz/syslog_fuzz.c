/*
 * syslog_fuzz: the first byte chooses framing and protocol, the rest is a connection's bytes. Must
 * reach: hf_log_frames_cut() with cut_octets() and cut_nul(), hf_log_pipeline_process(),
 * parse_syslog() with read_5424(), read_3164() and read_raw().
 *
 * Every message leads on, and every one becomes one entry.
 */
#include <stdlib.h>
#include <string.h>

#include "log_operators.h"
#include "support/lines/log_frames.h"

#define BYTES_MAX 4096

static struct hf_log_pipeline *make(unsigned protocol, bool is_counted)
{
    static const char *const names[] = {"rfc5424", "rfc3164", "none"};
    static const char *const keys[] = {"type", "protocol", "enable_octet_counting"};
    const struct hf_value values[] = {
        {.type = HF_VALUE_STRING, .string = "syslog_parser"},
        {.type = HF_VALUE_STRING, .string = names[protocol % 3]},
        {.type = HF_VALUE_BOOL, .string = "", .boolean = is_counted},
    };
    const struct hf_value one = {.type = HF_VALUE_MAP, .keys = keys, .items = values, .count = 3};
    const struct hf_value all = {.type = HF_VALUE_LIST, .items = &one, .count = 1};
    struct hf_log_pipeline *pipeline = NULL;
    char error[HF_LOG_ERROR_MAX];
    if (hf_log_pipeline_new(&all, &ops, NULL, &pipeline, error) != HF_OK) {
        abort();
    }
    return pipeline;
}

static void process(struct hf_log_pipeline *pipeline, struct hf_slice text)
{
    struct hf_arena arena = {.limit = (size_t)1 << 20};
    struct hf_log_entry entry;
    size_t before = emitted;
    if (hf_log_entry_init(&entry, &arena, 16) == HF_OK) {
        entry.body = hf_expr_string(text);
        hf_log_pipeline_process(pipeline, &entry);
        if (emitted != before + 1) {
            abort();
        }
    }
    hf_arena_release(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hf_encoding encoding;
    struct hf_log_frames frames;
    struct hf_stream_message message;
    char error[512];
    bool skipping = false;
    if (size == 0 || hf_encoding_open("utf-8", &encoding) != HF_OK) {
        return 0;
    }
    const struct hf_log_frames_options options = {
        .framing = (enum hf_log_framing)(data[0] % 3), .section = "", .bytes_max = BYTES_MAX};
    struct hf_log_pipeline *pipeline = make(data[0] / 3u, data[0] % 3 == HF_LOG_FRAMING_OCTETS);
    struct hf_slice rest = hf_slice_of(data + 1, size - 1);
    if (hf_log_frames_open(&frames, &options, &encoding, error) != HF_OK) {
        abort();
    }
    while (hf_log_frames_cut(&frames, rest, true, &skipping, &message)) {
        if (message.used == 0 || message.used > rest.size) {
            abort();
        }
        if (!message.is_nothing) {
            process(pipeline, message.bytes);
        }
        rest = hf_slice_of(rest.data + message.used, rest.size - message.used);
    }
    hf_log_pipeline_free(pipeline);
    hf_log_frames_close(&frames);
    hf_encoding_close(&encoding);
    return 0;
}
