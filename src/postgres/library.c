#include "library.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>

#include <holdfast/component.h>

#define NAME "libpq.so.5"

static const struct {
    const char *name;
    size_t offset;
} functions[] = {
#define ROW(name) {"PQ" #name, offsetof(struct hf_pg_library, name)},
    HF_PG_FUNCTIONS(ROW)
#undef ROW
};

static bool find_all(void *handle, struct hf_pg_library *library, char *reterr)
{
    for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
        void *function = dlsym(handle, functions[i].name);
        if (function == NULL) {
            snprintf(reterr, HF_ERROR_MAX,
                     "%s has no %s: install libpq 15 or newer (Debian: libpq5)", NAME,
                     functions[i].name);
            return false;
        }
        *(void **)(void *)((char *)library + functions[i].offset) = function;
    }
    return true;
}

const struct hf_pg_library *hf_pg_library(char *reterr)
{
    static struct hf_pg_library library;
    static bool is_loaded;
    if (is_loaded) {
        return &library;
    }
    void *handle = dlopen(NAME, RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL) {
        snprintf(reterr, HF_ERROR_MAX,
                 "PostgreSQL needs libpq (Debian: apt-get install libpq5): %.300s", dlerror());
        return NULL;
    }
    is_loaded = find_all(handle, &library, reterr);
    return is_loaded ? &library : NULL;
}
