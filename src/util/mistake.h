/*
 * mistake: how the check() of a component tells more than the one mistake that it returns. While
 * a collector is set, each mistake is told as it is found and the check goes on; else a check ends
 * at the first. One collector per thread.
 */
#pragma once

#include <stdbool.h>

/* Sets the collector of this thread; NULL: none. */
void hf_mistakes_collect(void (*tell)(void *user, const char *sentence), void *user);

/* Tells the sentence. False: there is no collector, so the first mistake is enough. */
bool hf_mistake(const char *sentence);
