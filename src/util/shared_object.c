#include "shared_object.h"

#include <dlfcn.h>
#include <stdio.h>

#include <holdfast/component.h>

bool hf_shared_object_load(const struct hf_shared_object *object, void *members, char *reterr)
{
    void *handle = NULL;
    for (size_t i = 0; handle == NULL && object->names[i] != NULL; i++) {
        handle = dlopen(object->names[i], RTLD_NOW | RTLD_LOCAL);
    }
    if (handle == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "%s: %.300s", object->needed, dlerror());
        return false;
    }
    for (size_t i = 0; i < object->symbol_count; i++) {
        void *function = dlsym(handle, object->symbols[i].name);
        if (function == NULL) {
            snprintf(reterr, HF_ERROR_MAX, "%s has no %s: %s", object->names[0],
                     object->symbols[i].name, object->install);
            return false;
        }
        *(void **)(void *)((char *)members + object->symbols[i].offset) = function;
    }
    return true;
}
