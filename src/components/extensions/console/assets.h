/*
 * assets: the files of the browser's side (assets/), which the build puts into the program: found
 * by their path, with a tag of their content and a copy packed by gzip, both made once.
 */
#pragma once

#include <stddef.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "util/compress/compress.h"

#define HF_CONSOLE_ASSETS_MAX 8u

struct hf_console_asset {
    const char *name, *content_type;
    struct hf_slice plain;
    struct hf_bytes packed; /* empty: it is not smaller */
    char tag[36];           /* with its quotes */
};

struct hf_console_assets {
    struct hf_console_asset items[HF_CONSOLE_ASSETS_MAX];
    size_t count;
};

/* HF_NOMEM. Main thread; immutable afterwards. */
HF_MUST_USE enum hf_status hf_console_assets_init(struct hf_console_assets *assets);
void hf_console_assets_release(struct hf_console_assets *assets);

/* `path` as "/assets/style.css"; NULL: there is no such file. */
const struct hf_console_asset *hf_console_asset_find(const struct hf_console_assets *assets,
                                                     const char *path);
