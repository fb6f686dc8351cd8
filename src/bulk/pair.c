#include "pair.h"

#include "pdata/wire_find.h"

bool hf_bulk_pair_find(struct hf_slice owner, uint32_t number, const char *key,
                       struct hf_slice *ret_value)
{
    struct hf_wire wire = hf_wire_of(owner);
    struct hf_slice pair, found, value;
    while (hf_wire_each(&wire, number, &pair)) {
        if (hf_bulk_pair_read(pair, &found, &value) && hf_slice_is(found, key)) {
            *ret_value = value;
            return true;
        }
    }
    return false;
}

void hf_bulk_pair_write_map(struct hf_json_writer *writer, const char *name, struct hf_slice owner,
                            uint32_t number)
{
    static const struct hf_json_any_style style = {0};
    struct hf_wire wire = hf_wire_of(owner);
    struct hf_slice pair, key, value;
    bool is_open = false;
    while (hf_wire_each(&wire, number, &pair)) {
        if (!hf_bulk_pair_read(pair, &key, &value)) {
            continue;
        }
        if (!is_open) {
            hf_json_write_key(writer, hf_slice_text(name));
            hf_json_write_open(writer, '{');
            is_open = true;
        }
        hf_json_write_key(writer, key);
        hf_json_write_any(writer, value, &style);
    }
    if (is_open) {
        hf_json_write_close(writer, '}');
    }
}
