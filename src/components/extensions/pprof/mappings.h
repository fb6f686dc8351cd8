/*
 * mappings: where the files of code stand in this process, and the functions in them. Read once;
 * immutable but for the symbols, which are read when they are first asked for: one thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <holdfast/status.h>

#include "elf_symbols.h"

struct hf_mapping {
    uint64_t start, end, offset;    /* offset: in the file */
    char *path;                     /* "[vdso]" is none */
    struct hf_elf_symbols *symbols; /* NULL: not read, or there are none */
    bool is_read;
};

struct hf_mappings {
    struct hf_mapping *items; /* by address, executable ones only */
    size_t count;
};

/* HF_IO, HF_NOMEM; then it is empty. */
HF_MUST_USE enum hf_status hf_mappings_read(struct hf_mappings *ret_mappings);
void hf_mappings_release(struct hf_mappings *mappings);

/* NULL: none holds that address. */
struct hf_mapping *hf_mappings_find(const struct hf_mappings *mappings, uint64_t address);
/* Reads the file's symbols if that was not done; their absence is no failure. */
void hf_mapping_read_symbols(struct hf_mapping *mapping);
/* The function at an address of the mapping; NULL: not known. */
const char *hf_mapping_function(struct hf_mapping *mapping, uint64_t address);
