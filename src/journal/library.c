#include "library.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>

#include <holdfast/component.h>

#define NAME "libsystemd.so.0"

static const struct {
    const char *name;
    size_t offset;
} functions[] = {
#define ROW(name) {"sd_journal_" #name, offsetof(struct hf_journal_library, name)},
    HF_JOURNAL_FUNCTIONS(ROW)
#undef ROW
        {"sd_id128_get_boot", offsetof(struct hf_journal_library, get_boot)},
};

static bool find_all(void *handle, struct hf_journal_library *library, char *reterr)
{
    for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
        void *function = dlsym(handle, functions[i].name);
        if (function == NULL) {
            snprintf(reterr, HF_ERROR_MAX, "%s has no %s: install systemd 246 or newer", NAME,
                     functions[i].name);
            return false;
        }
        *(void **)(void *)((char *)library + functions[i].offset) = function;
    }
    return true;
}

const struct hf_journal_library *hf_journal_library(char *reterr)
{
    static struct hf_journal_library library;
    static bool is_loaded;
    if (is_loaded) {
        return &library;
    }
    void *handle = dlopen(NAME, RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL) {
        snprintf(reterr, HF_ERROR_MAX,
                 "journals need libsystemd (Debian: apt-get install libsystemd0): %.300s",
                 dlerror());
        return NULL;
    }
    is_loaded = find_all(handle, &library, reterr);
    return is_loaded ? &library : NULL;
}
