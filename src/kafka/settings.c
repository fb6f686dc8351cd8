#include "settings.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void hf_kafka_set(struct hf_kafka_settings *settings, const char *name, const char *format, ...)
{
    va_list arguments;
    char *value = NULL;
    if (settings->count == HF_KAFKA_SETTINGS_MAX) {
        settings->failed = true;
        return;
    }
    va_start(arguments, format);
    if (vasprintf(&value, format, arguments) < 0) {
        value = NULL;
    }
    va_end(arguments);
    if (value == NULL) {
        settings->failed = true;
        return;
    }
    settings->names[settings->count] = name;
    settings->values[settings->count++] = value;
}

void hf_kafka_set_text(struct hf_kafka_settings *settings, const char *name, const char *value)
{
    if (value != NULL && value[0] != '\0') {
        hf_kafka_set(settings, name, "%s", value);
    }
}

void hf_kafka_settings_release(struct hf_kafka_settings *settings)
{
    for (size_t i = 0; i < settings->count; i++) {
        explicit_bzero(settings->values[i], strlen(settings->values[i])); /* passwords are here */
        free(settings->values[i]);
    }
    *settings = (struct hf_kafka_settings){0};
}
