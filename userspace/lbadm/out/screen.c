// SPDX-License-Identifier: GPL-2.0
/*
 * A terminal that shows one picture after the other.
 */
#define _GNU_SOURCE
#include "out/screen.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "lbadm.h"

/* The alternate screen without a cursor, and back */
#define ENTER "\033[?1049h\033[?25l"
#define LEAVE "\033[?25h\033[?1049l"
#define HOME "\033[H"
#define CLEAR_LINE "\033[K"
#define CLEAR_BELOW "\033[J"

static struct {
	bool draw;		/* a terminal is wanted, and */
	bool entered;		/* is as it has to be */
	bool keys;		/* standard input is a terminal, too */
	struct termios before;
	sigset_t mask;		/* while waiting: signals come then only */
} screen;

static volatile sig_atomic_t stop, suspend, redraw;

static void on_signal(int number)
{
	if (number == SIGTSTP)
		suspend = 1;
	else if (number == SIGWINCH)
		redraw = 1;
	else
		stop = 1;
}

bool screen_possible(void)
{
	const char *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && term && *term && strcmp(term, "dumb");
}

static void enter(void)
{
	struct termios raw;

	if (!screen.draw || screen.entered)
		return;
	screen.entered = true;
	if (screen.keys && !tcgetattr(STDIN_FILENO, &screen.before)) {
		raw = screen.before;
		raw.c_lflag &= ~(ICANON | ECHO);
		raw.c_cc[VMIN] = 1;
		raw.c_cc[VTIME] = 0;
		tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
	} else {
		screen.keys = false;
	}
	fputs(ENTER, stdout);
	fflush(stdout);
}

static void leave(void)
{
	if (!screen.entered)
		return;
	screen.entered = false;
	fputs(LEAVE, stdout);
	fflush(stdout);
	if (screen.keys)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &screen.before);
}

void screen_begin(bool draw)
{
	static const int numbers[] = {
		SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH, SIGTSTP,
	};
	struct sigaction action = { .sa_handler = on_signal };
	sigset_t block;
	size_t i;

	sigemptyset(&block);
	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		/* Without a terminal, nothing has to be put right before a stop. */
		if (numbers[i] == SIGTSTP && !draw)
			continue;
		sigaddset(&block, numbers[i]);
		sigaction(numbers[i], &action, NULL);
	}
	sigprocmask(SIG_BLOCK, &block, &screen.mask);
	screen.draw = draw;
	screen.keys = draw && isatty(STDIN_FILENO);
	if (!draw)
		return;
	atexit(leave);
	lbadm_locate = leave;
	enter();
}

void screen_end(void)
{
	leave();
	lbadm_locate = NULL;
}

size_t screen_height(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || !size.ws_row)
		return 24;
	return size.ws_row;
}

void screen_draw(const char *text)
{
	size_t lines = screen_height(), len;

	enter();
	fputs(HOME, stdout);
	for (; *text && lines; lines--) {
		len = strcspn(text, "\n");
		fwrite(text, 1, len, stdout);
		fputs(CLEAR_LINE, stdout);
		text += len + (text[len] == '\n');
		/* A newline in the last line would scroll. */
		if (*text && lines > 1)
			fputs("\r\n", stdout);
	}
	fputs(CLEAR_BELOW, stdout);
	fflush(stdout);
}

/* Stop as any program does, with the terminal as it was; go on after SIGCONT. */
static void suspend_now(void)
{
	struct sigaction action = { .sa_handler = SIG_DFL }, before;
	sigset_t only, mask;

	suspend = 0;
	leave();
	sigaction(SIGTSTP, &action, &before);
	raise(SIGTSTP);
	sigemptyset(&only);
	sigaddset(&only, SIGTSTP);
	sigprocmask(SIG_UNBLOCK, &only, &mask);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	sigaction(SIGTSTP, &before, NULL);
	enter();
	redraw = 1;
}

static bool flagged(enum screen_event *event)
{
	if (suspend)
		suspend_now();
	if (!stop && !redraw)
		return false;
	*event = stop ? SCREEN_STOP : SCREEN_REDRAW;
	redraw = 0;
	return true;
}

enum screen_event screen_wait(const struct timespec *until, char *key)
{
	struct pollfd pfd = { .fd = screen.keys ? STDIN_FILENO : -1,
			      .events = POLLIN };
	struct timespec now, left;
	enum screen_event event;

	for (;;) {
		clock_gettime(CLOCK_MONOTONIC, &now);
		left.tv_sec = until->tv_sec - now.tv_sec;
		left.tv_nsec = until->tv_nsec - now.tv_nsec;
		if (left.tv_nsec < 0) {
			left.tv_nsec += 1000000000;
			left.tv_sec--;
		}
		if (left.tv_sec < 0)
			left = (struct timespec){ 0 };
		pfd.revents = 0;
		if (ppoll(&pfd, 1, &left, &screen.mask) == 0)
			return flagged(&event) ? event : SCREEN_TIME;
		if (flagged(&event))
			return event;
		if (!pfd.revents)
			continue;
		if (read(STDIN_FILENO, key, 1) == 1)
			return SCREEN_KEY;
		return SCREEN_STOP;
	}
}
