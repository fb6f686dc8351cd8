/*
 * json_tool: the OTLP conversions as a filter, for tests in other languages.
 *
 *   json_tool in  SIGNAL   OTLP/JSON on stdin, protobuf on stdout
 *   json_tool out SIGNAL   protobuf on stdin, OTLP/JSON on stdout
 *   json_tool schema       the message tables, a line a field
 *
 * Exit status 1: refused, with a sentence on stderr. A fourth argument repeats the conversion so
 * many times, to measure it.
 */
#include "pdata/json.h"
#include "pdata/scan.h"
#include "pdata/schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INPUT_MAX (256u << 20)

static bool read_all(struct hf_bytes *input)
{
    for (;;) {
        if (input->size > INPUT_MAX || hf_bytes_reserve(input, input->size + 65536) != HF_OK) {
            return false;
        }
        ssize_t size = read(STDIN_FILENO, input->data + input->size, 65536);
        if (size <= 0) {
            return size == 0;
        }
        input->size += (size_t)size;
    }
}

static void print_schema(void)
{
    static const char *const types[] = {
        [HF_SCHEMA_BOOL] = "bool",       [HF_SCHEMA_INT32] = "int32",
        [HF_SCHEMA_INT64] = "int64",     [HF_SCHEMA_UINT32] = "uint32",
        [HF_SCHEMA_UINT64] = "uint64",   [HF_SCHEMA_SINT32] = "sint32",
        [HF_SCHEMA_ENUM] = "enum",       [HF_SCHEMA_FIXED32] = "fixed32",
        [HF_SCHEMA_FIXED64] = "fixed64", [HF_SCHEMA_SFIXED64] = "sfixed64",
        [HF_SCHEMA_DOUBLE] = "double",   [HF_SCHEMA_STRING] = "string",
        [HF_SCHEMA_BYTES] = "bytes",     [HF_SCHEMA_ID] = "id",
        [HF_SCHEMA_MESSAGE] = "message",
    };
    for (uint8_t i = 0; i < HF_SCHEMA_MESSAGE_COUNT; i++) {
        const struct hf_schema_message *message = hf_schema_message(i);
        printf("message %s %d %d\n", message->name, message->index, message->is_item);
        for (uint32_t number = 1; number <= HF_SCHEMA_NUMBER_MAX; number++) {
            const struct hf_schema_field *field = &message->fields[number];
            if (field->type == HF_SCHEMA_NONE) {
                continue;
            }
            printf("field %s %u %s %s %s %d %u %d %s\n", message->name, field->number, field->name,
                   field->json, types[field->type], field->repeated, field->oneof, field->optional,
                   field->message != NULL  ? field->message->name
                   : field->values != NULL ? field->values->name
                                           : "-");
            for (const struct hf_schema_enum_value *value =
                     field->values != NULL ? field->values->values : NULL;
                 value != NULL && value->name != NULL; value++) {
                printf("value %s %s %d\n", field->values->name, value->name, value->number);
            }
        }
    }
}

static bool convert(bool in, enum hf_signal signal, struct hf_slice input, struct hf_bytes *output)
{
    if (in) {
        char error[HF_JSON_ERROR_MAX];
        enum hf_status status = hf_json_to_proto(signal, input, INPUT_MAX, output, error);
        if (status != HF_OK) {
            fprintf(stderr, "%s: %s\n", hf_status_row(status)->name, error);
        }
        return status == HF_OK;
    }
    struct hf_scan scan;
    if (hf_scan(signal, input, &scan) != HF_OK) {
        fprintf(stderr, "not an Export request\n");
        return false;
    }
    return hf_json_from_proto(signal, input, output) == HF_OK;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "schema") == 0) {
        print_schema();
        return 0;
    }
    int signal = 0;
    while (argc >= 3 && signal < HF_SIGNAL_COUNT &&
           strcmp(argv[2], hf_signal_name((enum hf_signal)signal)) != 0) {
        signal++;
    }
    bool in = argc >= 3 && strcmp(argv[1], "in") == 0;
    if (argc < 3 || signal == HF_SIGNAL_COUNT || (!in && strcmp(argv[1], "out") != 0)) {
        fprintf(stderr,
                "usage: json_tool in|out traces|metrics|logs [TIMES], or json_tool schema\n");
        return 2;
    }
    struct hf_bytes input = {0};
    struct hf_bytes output = {0};
    bool ok = read_all(&input);
    for (long times = argc > 3 ? strtol(argv[3], NULL, 10) : 1; ok && times > 0; times--) {
        output.size = 0;
        ok = convert(in, (enum hf_signal)signal, hf_slice_of(input.data, input.size), &output);
    }
    ok = ok && (output.size == 0 || fwrite(output.data, output.size, 1, stdout) == 1);
    ok = fflush(stdout) == 0 && ok;
    hf_bytes_release(&input);
    hf_bytes_release(&output);
    return ok ? 0 : 1;
}
