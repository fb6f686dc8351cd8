#include "made.h"

#include <ctype.h>
#include <string.h>

#include "config/writer.h"

static struct made *add(struct made *parent, const char *key, enum made_kind kind)
{
    struct made *made =
        parent != NULL ? hf_arena_take(&parent->config->arena, sizeof(*made)) : NULL;
    if (made == NULL) {
        return NULL;
    }
    *made = (struct made){.key = key, .kind = kind, .config = parent->config};
    made->last = &made->first;
    *parent->last = made;
    parent->last = &made->next;
    return made;
}

struct made *made_root(struct fb_config *config)
{
    struct made *root = hf_arena_take(&config->arena, sizeof(*root));
    if (root == NULL) {
        config->no_memory = true;
        return NULL;
    }
    *root = (struct made){.config = config};
    root->last = &root->first;
    return root;
}

static struct made *find(const struct made *parent, const char *key)
{
    struct made *one = parent != NULL && key != NULL ? parent->first : NULL;
    while (one != NULL && strcmp(one->key, key) != 0) {
        one = one->next;
    }
    return one;
}

struct made *made_map(struct made *parent, const char *key)
{
    struct made *old = find(parent, key);
    return old != NULL ? old : add(parent, key, MADE_MAP);
}

struct made *made_list(struct made *parent, const char *key)
{
    struct made *old = find(parent, key);
    return old != NULL ? old : add(parent, key, MADE_LIST);
}

bool made_has(const struct made *map, const char *key)
{
    return find(map, key) != NULL;
}

static bool is_name(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (!isalnum((unsigned char)text[i]) && text[i] != '_') {
            return false;
        }
    }
    return size != 0 && !isdigit((unsigned char)text[0]);
}

/* "${NAME}" as "${env:NAME}"; other dollars doubled. */
static const char *with_dollars(struct fb_config *config, const char *text)
{
    size_t count = 0;
    for (const char *at = text; (at = strchr(at, '$')) != NULL; at++) {
        count++;
    }
    char *out = count != 0 ? hf_arena_take(&config->arena, strlen(text) + 5 * count + 1) : NULL;
    if (out == NULL) {
        config->no_memory = config->no_memory || count != 0;
        return text;
    }
    size_t size = 0;
    for (const char *at = text; *at != '\0'; at++) {
        const char *end = at[0] == '$' && at[1] == '{' ? strchr(at, '}') : NULL;
        if (end != NULL && is_name(at + 2, (size_t)(end - at) - 2)) {
            memcpy(out + size, "${env:", 6);
            size += 6;
            at++;
            continue;
        }
        if (*at == '$') {
            out[size++] = '$';
        }
        out[size++] = *at;
    }
    out[size] = '\0';
    return out;
}

void made_text(struct made *parent, const char *key, const char *text)
{
    struct made *made = add(parent, key, MADE_TEXT);
    if (made != NULL) {
        made->text = with_dollars(parent->config, text);
    }
}

void made_text_if(struct made *parent, const char *key, const char *text)
{
    if (text != NULL) {
        made_text(parent, key, text);
    }
}

void made_word(struct made *parent, const char *key, const char *word)
{
    struct made *made = add(parent, key, MADE_WORD);
    if (made != NULL) {
        made->text = word;
    }
}

void made_null(struct made *parent, const char *key)
{
    (void)add(parent, key, MADE_NULL);
}

static void print(struct hf_writer *writer, const struct made *made)
{
    if (made->kind == MADE_MAP || made->kind == MADE_LIST) {
        (made->kind == MADE_MAP ? hf_writer_map : hf_writer_list)(writer);
        for (const struct made *one = made->first; one != NULL; one = one->next) {
            if (made->kind == MADE_MAP) {
                hf_writer_key(writer, one->key);
            }
            print(writer, one);
        }
        hf_writer_end(writer);
        return;
    }
    bool is_word = made->kind == MADE_WORD;
    bool is_truth = is_word && (made->text[0] == 't' || made->text[0] == 'f');
    hf_writer_scalar(writer, made->kind == MADE_NULL ? NULL : made->text,
                     made->kind == MADE_NULL ? HF_SCALAR_NULL
                     : is_truth              ? HF_SCALAR_BOOL
                     : is_word               ? HF_SCALAR_INT
                                             : HF_SCALAR_STRING);
}

char *made_print(const struct made *root)
{
    struct hf_writer *writer = root != NULL ? hf_writer_new(false) : NULL;
    if (writer == NULL) {
        return NULL;
    }
    print(writer, root);
    return hf_writer_take(writer);
}
