#include "lb_service_name.h"

#include <string.h>

/* Copies what stands before the next dot. NULL: it does not fit, or is empty. */
static const char *take_part(const char *text, char *room, size_t size)
{
    size_t length = strcspn(text, ".");
    if (length == 0 || length >= size) {
        return NULL;
    }
    memcpy(room, text, length);
    room[length] = '\0';
    return text + length;
}

bool lb_service_name_parse(const char *text, struct lb_service_name *ret_name)
{
    *ret_name = (struct lb_service_name){0};
    const char *rest = take_part(text, ret_name->name, sizeof(ret_name->name));
    if (rest == NULL || *rest == '\0') {
        return rest != NULL;
    }
    rest = take_part(rest + 1, ret_name->name_space, sizeof(ret_name->name_space));
    if (rest == NULL || *rest == '\0') {
        return rest != NULL;
    }
    return strncmp(rest, ".svc.", 5) == 0 && rest[5] != '\0';
}
