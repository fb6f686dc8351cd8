#include "page.h"

#include <stdlib.h>
#include <string.h>

#include "util/escape.h"

#define LINES_MAX 200000u
#define CELL_MAX 600u

struct hf_page_line *hf_page_line(struct hf_page *page, enum hf_emphasis emphasis)
{
    if (page->count == page->capacity) {
        size_t capacity = page->capacity != 0 ? 2 * page->capacity : 64;
        struct hf_page_line *grown =
            capacity <= LINES_MAX ? reallocarray(page->lines, capacity, sizeof(*grown)) : NULL;
        if (grown == NULL) {
            return NULL;
        }
        page->lines = grown;
        page->capacity = capacity;
    }
    struct hf_page_line *line = &page->lines[page->count++];
    line->text[0] = '\0';
    line->width = 0;
    line->emphasis = emphasis;
    return line;
}

/* Bytes of the character there. */
static size_t character_bytes(const char *text)
{
    size_t size = 1;
    while (((unsigned char)text[size] & 0xc0u) == 0x80u) {
        size++;
    }
    return size;
}

static void append(struct hf_page_line *line, const char *text, size_t columns)
{
    size_t used = strlen(line->text);
    while (*text != '\0' && columns > 0) {
        size_t size = character_bytes(text);
        if (used + size >= sizeof(line->text)) {
            return;
        }
        memcpy(line->text + used, text, size);
        used += size;
        line->text[used] = '\0';
        line->width++;
        columns--;
        text += size;
    }
}

static size_t left(const struct hf_page *page, const struct hf_page_line *line)
{
    return page->width > line->width ? page->width - line->width : 0;
}

void hf_page_put(const struct hf_page *page, struct hf_page_line *line, const char *text)
{
    char safe[CELL_MAX];
    if (line != NULL) {
        hf_escape(HF_ESCAPE_LINE, hf_slice_text(text), safe, sizeof(safe));
        append(line, safe, left(page, line));
    }
}

static void pad(struct hf_page_line *line, size_t columns)
{
    for (size_t i = 0; i < columns; i++) {
        append(line, " ", 1);
    }
}

void hf_page_cell(const struct hf_page *page, struct hf_page_line *line, const char *text,
                  size_t width, bool is_right)
{
    char safe[CELL_MAX];
    if (line == NULL) {
        return;
    }
    size_t room = left(page, line), columns = 0;
    width = width < room ? width : room;
    hf_escape(HF_ESCAPE_LINE, hf_slice_text(text), safe, sizeof(safe));
    for (const char *at = safe; *at != '\0'; at += character_bytes(at)) {
        columns++;
    }
    size_t blank = columns < width ? width - columns : 0;
    pad(line, is_right ? blank : 0);
    append(line, safe, width);
    pad(line, is_right ? 0 : blank);
}

void hf_page_clear(struct hf_page *page)
{
    page->count = 0;
}

void hf_page_release(struct hf_page *page)
{
    free(page->lines);
}
