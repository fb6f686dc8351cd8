/*
 * tags: do two patterns of tags meet?
 */
#include <string.h>

#include "plugins.h"

#define TAG_MAX 1024u

/*
 * Both are patterns of `*`: is there a text that both fit? Row by row of the pattern, as with the
 * comparison of two texts: `now[j]` tells whether what stands before can meet the first j letters
 * of the tag.
 */
bool convert_tags_meet(const char *pattern, const char *tag)
{
    size_t size = strlen(tag);
    bool rows[2][TAG_MAX + 1] = {{true}};
    if (size > TAG_MAX) {
        return true;
    }
    for (size_t j = 1; j <= size; j++) {
        rows[0][j] = rows[0][j - 1] && tag[j - 1] == '*';
    }
    unsigned at = 0;
    for (const char *letter = pattern; *letter != '\0'; letter++, at ^= 1) {
        const bool *before = rows[at];
        bool *now = rows[at ^ 1];
        now[0] = before[0] && *letter == '*';
        for (size_t j = 1; j <= size; j++) {
            bool is_wild = *letter == '*' || tag[j - 1] == '*';
            now[j] = is_wild ? before[j] || now[j - 1] || before[j - 1]
                             : before[j - 1] && *letter == tag[j - 1];
        }
    }
    return rows[at][size];
}
