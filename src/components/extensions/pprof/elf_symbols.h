/*
 * elf_symbols: the names of the functions in a file of code, and its build id: from its symbol
 * table, or the dynamic one of a stripped file. Immutable once read; any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/status.h>

struct hf_elf_symbols;

#define ELF_BUILD_ID_MAX 64 /* characters of its hex text, with the NUL */

/* HF_IO, HF_INVALID: it is no ELF file of this machine's kind; HF_NOMEM. */
HF_MUST_USE enum hf_status hf_elf_symbols_read(const char *path,
                                               struct hf_elf_symbols **ret_symbols);
void hf_elf_symbols_free(struct hf_elf_symbols *symbols);

/* The function that holds the byte at `offset` of the file; NULL: none is known. Borrowed. */
const char *hf_elf_symbols_find(const struct hf_elf_symbols *symbols, uint64_t offset);
/* As hex text; "" when it has none. */
const char *hf_elf_symbols_build_id(const struct hf_elf_symbols *symbols);
