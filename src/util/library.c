#include "library.h"

#include <dlfcn.h>
#include <stdio.h>

#include <holdfast/component.h>

static bool find_all(const struct hf_library *library, const char *name, void *handle,
                     void *functions, char *reterr)
{
    for (size_t i = 0; i < library->count; i++) {
        const struct hf_library_symbol *symbol = &library->symbols[i];
        void *function = dlsym(handle, symbol->name);
        if (function == NULL) {
            snprintf(reterr, HF_ERROR_MAX, "%s has no %s: %s", name, symbol->name, library->old);
            return false;
        }
        *(void **)(void *)((char *)functions + symbol->offset) = function;
    }
    return true;
}

bool hf_library_load(struct hf_library *library, void *functions, char *reterr)
{
    const char *name = NULL;
    void *handle = NULL;
    if (library->is_loaded) {
        return true;
    }
    for (size_t i = 0; i < HF_LIBRARY_NAMES_MAX && library->names[i] != NULL && handle == NULL;
         i++) {
        name = library->names[i];
        handle = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    }
    if (handle == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "%s: %.300s", library->missing, dlerror());
        return false;
    }
    library->is_loaded = find_all(library, name, handle, functions, reterr);
    return library->is_loaded;
}
