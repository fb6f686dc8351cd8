/*
 * operators_fuzz: the first byte chooses an operator of logs, the rest are the lines that it gets.
 * Must reach: run_container() with run_docker() and run_cri(), hf_expr_json_read(), parse_pairs(),
 * parse_csv(), parse_json_array(), parse_uri(), run_unquote(), run_recombine().
 *
 * Every line leads on as one entry, also one that fails; those that join lines give no more than
 * they got, and nothing is held in the end.
 */
#include <stdlib.h>
#include <string.h>

#include "log_operators.h"

#define BYTES_MAX 4096u

struct tried {
    const char *pairs[4][2]; /* key and text */
    bool joins;
};

static const struct tried all[] = {
    {.pairs = {{"type", "json_parser"}}},
    {.pairs = {{"type", "json_array_parser"}, {"header", "a,b,c"}}},
    {.pairs = {{"type", "key_value_parser"}}},
    {.pairs = {{"type", "key_value_parser"}, {"delimiter", "=>"}, {"pair_delimiter", "&&"}}},
    {.pairs = {{"type", "csv_parser"}, {"header", "a,b"}}},
    {.pairs = {{"type", "uri_parser"}}},
    {.pairs = {{"type", "unquote"}, {"field", "body"}}},
    {.pairs = {{"type", "container"}}, .joins = true},
    {.pairs = {{"type", "recombine"},
               {"combine_field", "body"},
               {"is_last_entry", "body endsWith ';'"}},
     .joins = true},
};

#define TRIED_COUNT (sizeof(all) / sizeof(all[0]))

static struct hf_log_pipeline *make(const struct tried *tried)
{
    struct hf_value values[4];
    const char *keys[4];
    size_t count = 0;
    for (; count < 4 && tried->pairs[count][0] != NULL; count++) {
        keys[count] = tried->pairs[count][0];
        values[count] =
            (struct hf_value){.type = HF_VALUE_STRING, .string = tried->pairs[count][1]};
    }
    const struct hf_value one = {
        .type = HF_VALUE_MAP, .keys = keys, .items = values, .count = count};
    const struct hf_value list = {.type = HF_VALUE_LIST, .items = &one, .count = 1};
    struct hf_log_pipeline *pipeline = NULL;
    char error[HF_LOG_ERROR_MAX];
    if (hf_log_pipeline_new(&list, &ops, NULL, &pipeline, error) != HF_OK) {
        abort();
    }
    return pipeline;
}

static void process(struct hf_log_pipeline *pipeline, struct hf_slice line)
{
    static const char path[] = "/var/log/pods/default_pod-1_49cc7c1f/web/0.log";
    struct hf_arena arena = {.limit = (size_t)1 << 20};
    struct hf_log_entry entry;
    if (hf_log_entry_init(&entry, &arena, 16) != HF_OK ||
        hf_expr_map_add(&arena, entry.attributes.map, hf_slice_text("log.file.path"),
                        hf_expr_text(path)) != HF_OK) {
        abort();
    }
    entry.body = hf_expr_string(line);
    hf_log_pipeline_process(pipeline, &entry);
    hf_arena_release(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    const struct tried *tried = &all[data[0] % TRIED_COUNT];
    struct hf_log_pipeline *pipeline = make(tried);
    struct hf_slice rest = hf_slice_of(data + 1, size - 1 < BYTES_MAX ? size - 1 : BYTES_MAX);
    size_t lines = 0;
    emitted = 0;
    while (rest.size != 0) {
        const uint8_t *end = memchr(rest.data, '\n', rest.size);
        size_t length = end != NULL ? (size_t)(end - rest.data) : rest.size;
        process(pipeline, hf_slice_of(rest.data, length));
        length += end != NULL;
        rest = hf_slice_of(rest.data + length, rest.size - length);
        lines++;
    }
    if (emitted > lines || (emitted < lines && !tried->joins)) {
        abort();
    }
    (void)hf_log_pipeline_tick(pipeline, UINT64_MAX);
    if (lines != 0 && emitted == 0) {
        abort();
    }
    hf_log_pipeline_free(pipeline);
    return 0;
}
