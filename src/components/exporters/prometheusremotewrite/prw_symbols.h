/*
 * prw_symbols: the texts of one request of version 2: each stands there once and is named by its
 * number. Number 0 is the empty text. Owned by one thread: zeroed at first, prw_symbols_release()
 * at last; its memory is kept between requests.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "pdata/wire.h"
#include "util/compress/compress.h"

struct prw_symbols {
    struct prw_symbol {
        size_t at, size; /* in `texts` */
        uint64_t hash;
    } * items;
    size_t count, capacity;
    uint32_t *table; /* of hashes: number of the symbol, plus 1 */
    size_t table_size;
    struct hf_bytes texts;
};

/* Begins a request: only the empty text is there. HF_NOMEM. */
HF_MUST_USE enum hf_status prw_symbols_begin(struct prw_symbols *symbols);

/* The number of that text. HF_NOMEM. */
HF_MUST_USE enum hf_status prw_symbols_find(struct prw_symbols *symbols, struct hf_slice text,
                                            uint32_t *ret_number);

/* All of them, in their order, as fields `number`. */
void prw_symbols_write(const struct prw_symbols *symbols, uint32_t number,
                       struct hf_wire_writer *writer);

void prw_symbols_release(struct prw_symbols *symbols);
