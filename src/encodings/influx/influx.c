#include "influx.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "influx_parts.h"

#define ARENA_SHARE 64u /* memory of a request to its size, at most */
#define ARENA_LEAST ((size_t)2 << 20)
#define SHOWN_BYTES 80u /* of a refused line */

bool hf_influx_unit(const char *precision, uint64_t *ret_ns)
{
    static const struct {
        const char *name;
        uint64_t ns;
    } units[] = {
        {"", 1},
        {"ns", 1},
        {"n", 1},
        {"\xc2\xb5s", 1000}, /* with the sign of micro */
        {"\xc2\xb5", 1000},
        {"us", 1000},
        {"u", 1000},
        {"ms", 1000000},
        {"s", 1000000000},
        {"m", UINT64_C(60000000000)},
        {"h", UINT64_C(3600000000000)},
    };
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(units[i].name, precision) == 0) {
            *ret_ns = units[i].ns;
            return true;
        }
    }
    return false;
}

/* Printable, for an answer and the log. */
static void refuse(struct influx_work *work, size_t number, struct hf_slice line, const char *why)
{
    struct hf_influx_result *result = work->result;
    char shown[SHOWN_BYTES + 1];
    size_t size = line.size < SHOWN_BYTES ? line.size : SHOWN_BYTES;
    if (result->refused++ != 0) {
        return;
    }
    for (size_t i = 0; i < size; i++) {
        uint8_t c = line.data[i];
        shown[i] = c >= ' ' && c < 0x7f && c != '"' && c != '\\' ? (char)c : '?';
    }
    shown[size] = '\0';
    snprintf(result->why, sizeof(result->why), "unable to parse '%s' on line %zu: %s", shown,
             number, why);
}

static enum hf_status read_lines(struct influx_work *work, struct hf_slice body)
{
    struct hf_slice line;
    size_t number = 0;
    enum hf_status status = HF_OK;
    while (status == HF_OK && hf_influx_next_line(&body, &line, &number)) {
        const char *wrong = hf_influx_read_line(line, &work->arena, work->line);
        wrong = wrong == NULL ? influx_add_line(work, &status) : wrong;
        if (wrong != NULL) {
            refuse(work, number, line, wrong);
        }
    }
    return status == HF_OK ? influx_write_points(work) : status;
}

enum hf_status hf_influx_read(struct hf_slice body, const struct hf_influx_options *options,
                              struct hf_builder *builder, struct hf_influx_result *ret_result,
                              char *reterr)
{
    struct influx_work work = {.options = options,
                               .builder = builder,
                               .result = ret_result,
                               .arena = {.limit = ARENA_LEAST + ARENA_SHARE * body.size},
                               .line = malloc(sizeof(struct hf_influx_line)),
                               .reterr = reterr};
    *ret_result = (struct hf_influx_result){0};
    enum hf_status status = work.line != NULL ? read_lines(&work, body) : HF_NOMEM;
    hf_arena_release(&work.arena);
    free(work.points);
    free(work.line);
    return status;
}
