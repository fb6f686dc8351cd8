/*
 * component_check: asks a component's own `check`, one at a time: its sentence may stand in memory
 * that the next call uses again. A meeting place; any thread.
 */
#pragma once

#include <holdfast/component.h>

/* `tell` gets the sentence of what is wrong, valid during the call; it is not called when all is
 * well. */
void hf_component_check(const struct hf_component *component, const void *config,
                        void (*tell)(void *user, const char *sentence), void *user);
