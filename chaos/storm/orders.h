/*
 * orders: what the sink does with the next request. Lines come on the loop's thread, requests on
 * any; they meet in a few atomic numbers, and an order that is read halfway is a harmless one.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum storm_conduct {
    STORM_ANSWER,       /* now, with `code` */
    STORM_ANSWER_LATER, /* after `delay_ns`, with `code` */
    STORM_CUT,          /* begin an answer, then break the connection */
};

/* The items are taken when `code` is 0. */
struct storm_order {
    enum storm_conduct conduct;
    int code;          /* gRPC or HTTP; 0: OK */
    uint64_t delay_ns; /* ANSWER_LATER; else the retry delay to tell, 0: none */
    uint64_t rejected; /* items to call rejected in a partial success */
};

enum storm_mode {
    STORM_OK,
    STORM_CODE,
    STORM_RETRY,
    STORM_SOME,
    STORM_HANG,
    STORM_SLOW,
    STORM_CUTTING,
    STORM_PARTIAL,
};

struct storm_orders {
    _Atomic int mode; /* enum storm_mode */
    _Atomic int code;
    _Atomic uint64_t number; /* the order's other number */
    _Atomic uint64_t seen;   /* requests since the order */
};

/* False: not an order. */
bool storm_orders_take(struct storm_orders *orders, const char *line);
struct storm_order storm_orders_next(struct storm_orders *orders);

/*
 * Writes `bytes`, the beginning of an answer, to this process's connection with `peer`
 * ("10.0.0.7:51234") behind its owner's back, and ends the connection in both directions. The
 * owner finds it closed and frees it as usual.
 */
void storm_cut(const char *peer, const char *bytes, unsigned size);
