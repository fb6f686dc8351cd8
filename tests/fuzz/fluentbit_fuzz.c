/*
 * Bytes as a configuration of Fluent Bit in its classic form: every key stands in a section, and
 * what was read is told or kept.
 *
 * Must reach: fb_read_classic, convert_tags_meet, ottl_key, convert_pattern.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "convert/plugins.h"

static void no_files(struct fb_config *config, const char *pattern, const char *file,
                     unsigned depth)
{
    (void)file, (void)depth;
    fb_tell(config, FB_NOTE, NULL, "%s", pattern);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fb_config config;
    fb_init(&config);
    fb_read_classic(&config, hf_slice_of(data, size), "f", 0, no_files);
    for (struct fb_section *section = config.first; section != NULL; section = section->next) {
        for (struct fb_property *one = section->first; one != NULL; one = one->next) {
            if (one->key[0] == '\0' || strpbrk(one->key, " \t\n") != NULL) {
                abort();
            }
            const char *pattern = convert_pattern(&config, one->value);
            if (ottl_key(&config, one->value)[0] == '\0' || strlen(pattern) > 2 * size) {
                abort();
            }
            if (strlen(one->value) < 200 && !convert_tags_meet(one->value, one->value)) {
                abort();
            }
        }
    }
    fb_release(&config);
    return 0;
}
