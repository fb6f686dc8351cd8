/*
 * carbon_fuzz: lines of Graphite's plaintext protocol. Must reach: hf_carbon_read() with
 * read_number() and read_time(), hf_carbon_split().
 *
 * What is taken has a name and lies within the line.
 */
#include <string.h>

#include "check.h"
#include "encodings/carbon.h"

static bool is_in(struct hf_slice part, struct hf_slice whole)
{
    return part.size == 0 ||
           (part.data >= whole.data && part.data + part.size <= whole.data + whole.size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hf_carbon_line line;
    struct hf_carbon_path path;
    struct hf_slice rest = hf_slice_of(data, size);
    while (rest.size != 0) {
        const uint8_t *end = memchr(rest.data, '\n', rest.size);
        struct hf_slice text =
            hf_slice_of(rest.data, end != NULL ? (size_t)(end - rest.data) : rest.size);
        if (hf_carbon_read(text, &line) == NULL) {
            check(line.path.size != 0 && is_in(line.path, text));
            if (hf_carbon_split(line.path, &path) == NULL) {
                check(path.name.size != 0 && is_in(path.name, text));
                for (size_t i = 0; i < path.tag_count; i++) {
                    check(path.tags[i].key.size != 0 && is_in(path.tags[i].value, text));
                }
            }
        }
        size_t used = text.size + (end != NULL ? 1 : 0);
        rest = hf_slice_of(rest.data + used, rest.size - used);
    }
    return 0;
}
