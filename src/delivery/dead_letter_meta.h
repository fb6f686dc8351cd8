/*
 * dead_letter_meta: the metadata of a dead letter besides that of its client (meta.h): why it was
 * refused, the code of the backend, and its pipeline. The client's entries come first. These
 * numbers are stored: never change them.
 */
#pragma once

enum { HF_DEAD_LETTER_REASON = 'r', HF_DEAD_LETTER_CODE = 'c', HF_DEAD_LETTER_PIPELINE = 'q' };
