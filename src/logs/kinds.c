/*
 * kinds: the operators there are.
 */
#include "operator.h"

#define KIND(name) extern const struct operator_kind operator_##name;
#include "operators.def"
#undef KIND

#define KIND(name) &operator_##name,
const struct operator_kind *const operator_kinds[] = {
#include "operators.def"
    NULL,
};
#undef KIND
