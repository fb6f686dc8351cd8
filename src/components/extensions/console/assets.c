#include "assets.h"

#include <stdio.h>
#include <string.h>

#include "console_assets.h" /* made at build */
#include "util/digest.h"

#define FOLDER "/assets/"

static const char *type_of(const char *name)
{
    static const char *const types[][2] = {{".css", "text/css; charset=utf-8"},
                                           {".js", "text/javascript; charset=utf-8"},
                                           {".svg", "image/svg+xml"}};
    const char *ending = strrchr(name, '.');
    const char *type = "application/octet-stream";
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]) && ending != NULL; i++) {
        type = strcmp(ending, types[i][0]) == 0 ? types[i][1] : type;
    }
    return type;
}

static enum hf_status prepare(struct hf_console_asset *asset)
{
    char hex[HF_SHA256_HEX_SIZE] = "";
    enum hf_status status = hf_digest_sha256(asset->plain, hex);
    if (status != HF_OK) {
        return status;
    }
    snprintf(asset->tag, sizeof(asset->tag), "\"%.32s\"", hex);
    status = hf_encode(HF_GZIP, 9, &asset->plain, 1, &asset->packed);
    if (status == HF_OK && asset->packed.size >= asset->plain.size) {
        hf_bytes_release(&asset->packed);
    }
    return status;
}

enum hf_status hf_console_assets_init(struct hf_console_assets *assets)
{
    enum hf_status status = HF_OK;
    *assets = (struct hf_console_assets){0};
    for (size_t i = 0; hf_console_asset_files[i].name != NULL && status == HF_OK; i++) {
        const char *name = hf_console_asset_files[i].name;
        assets->items[assets->count] = (struct hf_console_asset){
            .name = name,
            .content_type = type_of(name),
            .plain = hf_slice_of(hf_console_asset_files[i].data, hf_console_asset_files[i].size)};
        status = prepare(&assets->items[assets->count++]);
    }
    if (status != HF_OK) {
        hf_console_assets_release(assets);
    }
    return status;
}

void hf_console_assets_release(struct hf_console_assets *assets)
{
    for (size_t i = 0; i < assets->count; i++) {
        hf_bytes_release(&assets->items[i].packed);
    }
    *assets = (struct hf_console_assets){0};
}

const struct hf_console_asset *hf_console_asset_find(const struct hf_console_assets *assets,
                                                     const char *path)
{
    if (strncmp(path, FOLDER, strlen(FOLDER)) != 0) {
        return NULL;
    }
    for (size_t i = 0; i < assets->count; i++) {
        if (strcmp(path + strlen(FOLDER), assets->items[i].name) == 0) {
            return &assets->items[i];
        }
    }
    return NULL;
}
