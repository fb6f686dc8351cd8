#include "prw_symbols.h"

#include <stdlib.h>
#include <string.h>

#include "util/hash.h"

#define FIRST_CAPACITY 256u
#define KEPT_BYTES (8u << 20) /* buffers beyond are given back */

static void enter(struct prw_symbols *symbols, size_t index)
{
    size_t at = symbols->items[index].hash & (symbols->table_size - 1);
    while (symbols->table[at] != 0) {
        at = (at + 1) & (symbols->table_size - 1);
    }
    symbols->table[at] = (uint32_t)index + 1;
}

/* The table stays at most half full. */
static enum hf_status grow(struct prw_symbols *symbols)
{
    if (symbols->count < symbols->capacity) {
        return HF_OK;
    }
    size_t capacity = symbols->capacity != 0 ? 2 * symbols->capacity : FIRST_CAPACITY;
    struct prw_symbol *items = reallocarray(symbols->items, capacity, sizeof(*items));
    if (items == NULL) {
        return HF_NOMEM;
    }
    symbols->items = items;
    uint32_t *table = calloc(2 * capacity, sizeof(*table));
    if (table == NULL) {
        return HF_NOMEM;
    }
    free(symbols->table);
    symbols->table = table;
    symbols->table_size = 2 * capacity;
    symbols->capacity = capacity;
    for (size_t i = 0; i < symbols->count; i++) {
        enter(symbols, i);
    }
    return HF_OK;
}

enum hf_status prw_symbols_begin(struct prw_symbols *symbols)
{
    uint32_t number;
    symbols->count = 0;
    symbols->texts.size = 0;
    if (symbols->texts.capacity > KEPT_BYTES) {
        hf_bytes_release(&symbols->texts);
    }
    if (symbols->table_size != 0) {
        memset(symbols->table, 0, symbols->table_size * sizeof(*symbols->table));
    }
    return prw_symbols_find(symbols, HF_EMPTY_SLICE, &number);
}

enum hf_status prw_symbols_find(struct prw_symbols *symbols, struct hf_slice text,
                                uint32_t *ret_number)
{
    uint64_t hash = hf_hash_64(text);
    enum hf_status status = grow(symbols);
    if (status != HF_OK) {
        return status;
    }
    for (size_t at = hash & (symbols->table_size - 1); symbols->table[at] != 0;
         at = (at + 1) & (symbols->table_size - 1)) {
        const struct prw_symbol *known = &symbols->items[symbols->table[at] - 1];
        struct hf_slice its = hf_slice_of(symbols->texts.data + known->at, known->size);
        if (known->hash == hash && hf_slice_equal(its, text)) {
            *ret_number = symbols->table[at] - 1;
            return HF_OK;
        }
    }
    size_t at = symbols->texts.size;
    status = text.size != 0 ? hf_bytes_append(&symbols->texts, text) : HF_OK;
    if (status == HF_OK) {
        symbols->items[symbols->count] = (struct prw_symbol){at, text.size, hash};
        enter(symbols, symbols->count);
        *ret_number = (uint32_t)symbols->count++;
    }
    return status;
}

void prw_symbols_write(const struct prw_symbols *symbols, uint32_t number,
                       struct hf_wire_writer *writer)
{
    for (size_t i = 0; i < symbols->count; i++) {
        const struct prw_symbol *one = &symbols->items[i];
        hf_wire_put_bytes(writer, number,
                          one->size != 0 ? hf_slice_of(symbols->texts.data + one->at, one->size)
                                         : HF_EMPTY_SLICE);
    }
}

void prw_symbols_release(struct prw_symbols *symbols)
{
    free(symbols->items);
    free(symbols->table);
    hf_bytes_release(&symbols->texts);
    *symbols = (struct prw_symbols){0};
}
