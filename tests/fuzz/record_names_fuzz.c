/*
 * record_names_fuzz: the value of the header holdfast-records. Must reach: hf_record_names_open(),
 * hf_record_names_next() with take_run(), take_part(), take_same().
 *
 * Parts that are read ascend and have items; written again, they are read as the same parts.
 */
#include <string.h>

#include "check.h"
#include "util/record_names.h"

#define PARTS_MAX 4096u

static void check_again(const uint8_t *origin, const struct hf_record_part *parts, size_t count)
{
    struct hf_record_names_writer writer;
    struct hf_record_names names;
    struct hf_record_part part;
    hf_record_names_begin(&writer, origin);
    for (size_t i = 0; i < count; i++) {
        hf_record_names_add(&writer, &parts[i]);
    }
    struct hf_slice value = hf_record_names_end(&writer);
    if (value.size == 0) {
        return; /* no room */
    }
    check(hf_record_names_open(value, &names) && memcmp(names.origin, origin, 16) == 0);
    for (size_t i = 0; i < count; i++) {
        check(hf_record_names_next(&names, &part) && part.sequence == parts[i].sequence &&
              part.first == parts[i].first && part.count == parts[i].count &&
              part.of == parts[i].of);
    }
    check(!hf_record_names_next(&names, &part) && !names.is_bad);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct hf_record_part parts[PARTS_MAX];
    struct hf_record_names names;
    struct hf_record_place end = {0, 0};
    size_t count = 0;
    if (!hf_record_names_open(hf_slice_of(data, size), &names)) {
        return 0;
    }
    while (count < PARTS_MAX && hf_record_names_next(&names, &parts[count])) {
        struct hf_record_range range = hf_record_range_of(&parts[count]);
        check(parts[count].count != 0 && hf_record_place_compare(end, range.from) <= 0 &&
              hf_record_place_compare(range.from, range.to) < 0);
        end = range.to;
        count++;
    }
    check_again(names.origin, parts, count);
    return 0;
}
