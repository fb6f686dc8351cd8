/*
 * letter: what a dead letter's metadata has beside the client's (meta.h): why it was refused, the
 * backend's code, and the pipeline it came from. The client's entries come first. The letters are
 * stored: never change these.
 */
#pragma once

enum { HF_DEAD_LETTER_REASON = 'r', HF_DEAD_LETTER_CODE = 'c', HF_DEAD_LETTER_PIPELINE = 'q' };
