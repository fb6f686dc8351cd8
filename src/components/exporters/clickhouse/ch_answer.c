#include "ch_answer.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct row {
    int code;
    struct ch_verdict verdict;
};

/* About the rows: the request is halved down to the one that is to blame, as a large one is. */
#define OF_ROWS                                                                                    \
    {                                                                                              \
        HF_TOO_LARGE, false                                                                        \
    }
/* About the configuration, the rights or the tables: it costs no data. */
#define OF_SETTING                                                                                 \
    {                                                                                              \
        HF_FORBIDDEN, false                                                                        \
    }
#define LATER                                                                                      \
    {                                                                                              \
        HF_AGAIN, false                                                                            \
    }
#define BUSY                                                                                       \
    {                                                                                              \
        HF_BUSY, false                                                                             \
    }

/* By ClickHouse's src/Common/ErrorCodes.cpp, whose numbers are for ever. */
static const struct row rows[] = {
    {6, OF_ROWS},                       /* CANNOT_PARSE_TEXT */
    {26, OF_ROWS},                      /* CANNOT_PARSE_QUOTED_STRING */
    {27, OF_ROWS},                      /* CANNOT_PARSE_INPUT_ASSERTION_FAILED */
    {38, OF_ROWS},                      /* CANNOT_PARSE_DATE */
    {41, OF_ROWS},                      /* CANNOT_PARSE_DATETIME */
    {53, OF_ROWS},                      /* TYPE_MISMATCH */
    {69, OF_ROWS},                      /* ARGUMENT_OUT_OF_BOUND */
    {70, OF_ROWS},                      /* CANNOT_CONVERT_TYPE */
    {72, OF_ROWS},                      /* CANNOT_PARSE_NUMBER */
    {117, OF_ROWS},                     /* INCORRECT_DATA */
    {130, OF_ROWS},                     /* CANNOT_READ_ARRAY_FROM_TEXT */
    {131, OF_ROWS},                     /* TOO_LARGE_STRING_SIZE */
    {190, OF_ROWS},                     /* SIZES_OF_ARRAYS_DONT_MATCH */
    {321, OF_ROWS},                     /* VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE */
    {349, OF_ROWS},                     /* CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN */
    {407, OF_ROWS},                     /* DECIMAL_OVERFLOW */
    {467, OF_ROWS},                     /* CANNOT_PARSE_BOOL */
    {469, OF_ROWS},                     /* VIOLATED_CONSTRAINT */
    {128, {HF_TOO_LARGE, false}},       /* TOO_LARGE_ARRAY_SIZE */
    {158, {HF_TOO_LARGE, false}},       /* TOO_MANY_ROWS */
    {307, {HF_TOO_LARGE, false}},       /* TOO_MANY_BYTES */
    {16, OF_SETTING},                   /* NO_SUCH_COLUMN_IN_TABLE */
    {36, OF_SETTING},                   /* BAD_ARGUMENTS */
    {43, OF_SETTING},                   /* ILLEGAL_TYPE_OF_ARGUMENT */
    {44, OF_SETTING},                   /* ILLEGAL_COLUMN */
    {46, OF_SETTING},                   /* UNKNOWN_FUNCTION */
    {47, OF_SETTING},                   /* UNKNOWN_IDENTIFIER */
    {50, OF_SETTING},                   /* UNKNOWN_TYPE */
    {56, OF_SETTING},                   /* UNKNOWN_STORAGE */
    {60, {HF_NOT_FOUND, false}},        /* UNKNOWN_TABLE */
    {62, OF_SETTING},                   /* SYNTAX_ERROR */
    {73, OF_SETTING},                   /* UNKNOWN_FORMAT */
    {81, {HF_NOT_FOUND, false}},        /* UNKNOWN_DATABASE */
    {115, OF_SETTING},                  /* UNKNOWN_SETTING */
    {164, OF_SETTING},                  /* READONLY */
    {170, OF_SETTING},                  /* CLUSTER_DOESNT_EXIST */
    {192, {HF_UNAUTHENTICATED, false}}, /* UNKNOWN_USER */
    {193, {HF_UNAUTHENTICATED, false}}, /* WRONG_PASSWORD */
    {194, {HF_UNAUTHENTICATED, false}}, /* REQUIRED_PASSWORD */
    {195, OF_SETTING},                  /* IP_ADDRESS_NOT_ALLOWED */
    {291, OF_SETTING},                  /* DATABASE_ACCESS_DENIED */
    {344, OF_SETTING},                  /* SUPPORT_IS_DISABLED */
    {372, OF_SETTING},                  /* SESSION_NOT_FOUND */
    {452, OF_SETTING},                  /* SETTING_CONSTRAINT_VIOLATION */
    {497, OF_SETTING},                  /* ACCESS_DENIED */
    {516, {HF_UNAUTHENTICATED, false}}, /* AUTHENTICATION_FAILED */
    {159, LATER},                       /* TIMEOUT_EXCEEDED */
    {201, BUSY},                        /* QUOTA_EXCEEDED */
    {202, BUSY},                        /* TOO_MANY_SIMULTANEOUS_QUERIES */
    {203, BUSY},                        /* NO_FREE_CONNECTION */
    {209, LATER},                       /* SOCKET_TIMEOUT */
    {210, LATER},                       /* NETWORK_ERROR */
    {225, LATER},                       /* NO_ZOOKEEPER */
    {236, LATER},                       /* ABORTED */
    {242, LATER},                       /* TABLE_IS_READ_ONLY */
    {243, LATER},                       /* NOT_ENOUGH_SPACE */
    {252, BUSY},                        /* TOO_MANY_PARTS */
    {279, LATER},                       /* ALL_CONNECTION_TRIES_FAILED */
    {285, LATER},                       /* TOO_FEW_LIVE_REPLICAS */
    {286, LATER},                       /* UNSATISFIED_QUORUM_FOR_PREVIOUS_WRITE */
    {289, LATER},                       /* REPLICA_IS_NOT_IN_QUORUM */
    {319, LATER},                       /* UNKNOWN_STATUS_OF_INSERT */
    {373, LATER},                       /* SESSION_IS_LOCKED */
    {394, LATER},                       /* QUERY_WAS_CANCELLED */
    {439, BUSY},                        /* CANNOT_SCHEDULE_TASK */
    {473, LATER},                       /* DEADLOCK_AVOIDED */
    {499, LATER},                       /* S3_ERROR */
    {999, LATER},                       /* KEEPER_EXCEPTION */
};

static const char *find(struct hf_slice text, const char *words)
{
    return text.size != 0 ? memmem(text.data, text.size, words, strlen(words)) : NULL;
}

int ch_answer_code(const char *header, struct hf_slice body)
{
    static const char word[] = "Code: ";
    const int code_max = 100000;
    char digits[8] = "";
    const char *found = header == NULL ? find(body, word) : NULL;
    if (found != NULL) {
        size_t left = body.size - (size_t)((const uint8_t *)found - body.data) - strlen(word);
        size_t size = left < sizeof(digits) - 1 ? left : sizeof(digits) - 1;
        memcpy(digits, found + strlen(word), size);
    }
    long code = strtol(header != NULL ? header : digits, NULL, 10);
    return code > 0 && code < code_max ? (int)code : 0;
}

bool ch_answer_verdict(int code, struct hf_slice text, struct ch_verdict *ret)
{
    enum { MEMORY_LIMIT_EXCEEDED = 241, TOO_MANY_PARTS = 252 };
    /* Both codes have two meanings: the server is full, or this request is too large for it. */
    if ((code == MEMORY_LIMIT_EXCEEDED && find(text, "(total)") == NULL &&
         find(text, "for query") != NULL) ||
        (code == TOO_MANY_PARTS && find(text, "for single INSERT block") != NULL)) {
        *ret = (struct ch_verdict){HF_TOO_LARGE, false};
        return true;
    }
    if (code == MEMORY_LIMIT_EXCEEDED) {
        *ret = (struct ch_verdict){HF_BUSY, true};
        return true;
    }
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].code == code) {
            *ret = rows[i].verdict;
            return true;
        }
    }
    return false;
}
