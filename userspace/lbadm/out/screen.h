/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A terminal that shows one picture after the other, and the signals and keys
 * that come meanwhile. Escape sequences that every terminal has are enough.
 */
#ifndef LBADM_SCREEN_H
#define LBADM_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

enum screen_event {
	SCREEN_TIME,	/* the time is up */
	SCREEN_KEY,	/* a key was pressed */
	SCREEN_REDRAW,	/* the size is another one, or the picture is gone */
	SCREEN_STOP,	/* SIGINT, SIGTERM and the like, or the terminal is gone */
};

/* Is standard output a terminal that can be drawn on? */
bool screen_possible(void);

/**
 * screen_begin() - catch signals
 * @draw: and take the terminal; it is given back by screen_end(), at exit, before a
 *	message of lbadm and while the program is suspended
 */
void screen_begin(bool draw);
void screen_end(void);

/* Replace the picture by @text, as much of it as there is room for. */
void screen_draw(const char *text);

/* Lines of the terminal */
size_t screen_height(void);

/**
 * screen_wait() - wait for a key, a signal or a point in time
 * @until: by CLOCK_MONOTONIC
 * @key: set if it was a key
 */
enum screen_event screen_wait(const struct timespec *until, char *key);

#endif /* LBADM_SCREEN_H */
