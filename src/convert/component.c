/*
 * component: the ids of the components that are made.
 */
#include <string.h>

#include "plugins.h"

/* Letters, digits, and what else an id may have. */
static const char *as_id(struct fb_config *config, const char *text)
{
    char *id = hf_arena_take(&config->arena, strlen(text) + 1);
    size_t size = 0;
    for (; id != NULL && text[size] != '\0'; size++) {
        char letter = text[size];
        bool is_fit = (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
                      (letter >= '0' && letter <= '9') || strchr("._-", letter) != NULL;
        id[size] = is_fit ? letter : '_';
    }
    if (id != NULL) {
        id[size] = '\0';
    }
    return id != NULL ? id : "x";
}

struct made *convert_component(struct conversion *conversion, const char *section, const char *type,
                               struct plugin *plugin)
{
    struct fb_config *config = conversion->config;
    struct made *all = made_map(conversion->root, section);
    const char *alias = fb_get(plugin->section, "alias");
    const char *id = alias != NULL ? fb_format(config, "%s/%s", type, as_id(config, alias)) : type;
    for (unsigned n = 2; all != NULL && made_has(all, id); n++) {
        id = fb_format(config, "%s/%s%s%u", type, alias != NULL ? as_id(config, alias) : "",
                       alias != NULL ? "_" : "", n);
    }
    plugin->id = id;
    return made_map(all, id);
}
