/*
 * library: a shared library that is loaded when it is first needed, so that a process that does not
 * need it has neither it nor what it depends on in memory, and a machine without it runs the rest.
 *
 * Its functions become members of a struct of pointers:
 *
 *     struct my_functions { __typeof__(my_open) *open; };
 *     static const struct hf_library_symbol symbols[] = {
 *         {"my_open", offsetof(struct my_functions, open)}};
 *     static struct hf_library library = {
 *         .names = {"libmy.so.1"}, .symbols = symbols, .count = 1,
 *         .missing = "my server needs libmy (Debian: apt-get install libmy1)",
 *         .old = "install libmy 2 or newer (Debian: libmy1)"};
 *     if (hf_library_load(&library, &functions, reterr)) { functions.open(...); }
 *
 * Owned by one thread while it loads; what is loaded is immutable and never unloaded.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <holdfast/status.h>

#define HF_LIBRARY_NAMES_MAX 2

struct hf_library_symbol {
    const char *name;
    size_t offset; /* of its pointer in the struct of functions */
};

struct hf_library {
    const char *names[HF_LIBRARY_NAMES_MAX]; /* tried in this order; the rest NULL */
    const struct hf_library_symbol *symbols;
    size_t count;
    const char *missing; /* who needs what, and its package */
    const char *old;     /* what to install when a function is not there */
    bool is_loaded;      /* its own */
};

/* True: every pointer in `functions` is set, by this call or an earlier one. Otherwise `reterr`
 * (HF_ERROR_MAX) has a sentence, and a later call tries again. */
HF_MUST_USE bool hf_library_load(struct hf_library *library, void *functions, char *reterr);
