/* What is wrong with a text, and where. */
#include <stdarg.h>
#include <stdio.h>

#include "node.h"

enum hf_status hf_ottl_refuse(struct hf_ottl_fault *fault, size_t at, const char *format, ...)
{
    va_list arguments;
    fault->at = at;
    va_start(arguments, format);
    vsnprintf(fault->sentence, sizeof(fault->sentence), format, arguments);
    va_end(arguments);
    return HF_INVALID;
}
