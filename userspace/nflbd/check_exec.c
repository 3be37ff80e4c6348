// SPDX-License-Identifier: GPL-2.0
/*
 * exec: a program decides. Exit status 0 is success, 1 failure; any other is a program that
 * is broken, and no result. It runs in a process group of its own, without capabilities,
 * and as nobody if nflbd is root. Its output becomes the detail of the result.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

#define OUTPUT_MAX 4096
#define NOBODY 65534

struct command {
	pid_t pid;		/* 0: it has ended */
	int pidfd;
	int output;		/* -1: closed */
	struct event ended, readable;
	char line[RESULT_DETAIL_MAX];	/* the first one */
	size_t line_len, read;
	bool line_ended;
};

/* Processes that were killed, and are not gone yet */
struct orphan {
	struct orphan *next;
	pid_t pid;
};

static struct orphan *orphans;

static void reap_orphans(void)
{
	struct orphan **at = &orphans, *orphan;

	while ((orphan = *at)) {
		if (!waitpid(orphan->pid, NULL, WNOHANG)) {
			at = &orphan->next;
			continue;
		}
		*at = orphan->next;
		free(orphan);
	}
}

/* Without blocking the loop, should the process hang in the kernel */
static void kill_group(pid_t pid)
{
	struct orphan *orphan;

	kill(-pid, SIGKILL);
	if (waitpid(pid, NULL, WNOHANG))
		return;
	orphan = malloc(sizeof(*orphan));
	if (!orphan)
		abort();
	*orphan = (struct orphan){ orphans, pid };
	orphans = orphan;
}

/* --- in the new process */

static void drop_privileges(void)
{
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		_exit(126);
	if (!geteuid() && (setgroups(0, NULL) || setgid(NOBODY) || setuid(NOBODY)))
		_exit(126);
}

static void run(char *const *argv, char *const *env, int output)
{
	static const int signals[] = { SIGPIPE, SIGTERM, SIGINT, SIGHUP };
	int null = open("/dev/null", O_RDWR);
	sigset_t none;
	size_t i;

	/* The handlers of the loop are none of its business. */
	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		signal(signals[i], SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setpgid(0, 0);
	if (null < 0 || dup2(null, 0) < 0 || dup2(output, 1) < 0 || dup2(output, 2) < 0 ||
	    syscall(SYS_close_range, 3, ~0u, 0))
		_exit(126);
	drop_privileges();
	execve(argv[0], argv, env);
	_exit(127);
}

/* --- in this one */

static void note_output(struct command *command, const char *data, size_t len)
{
	size_t i;

	command->read += len;
	for (i = 0; i < len && !command->line_ended; i++) {
		command->line_ended = data[i] == '\n' ||
				      command->line_len == sizeof(command->line) - 1;
		if (!command->line_ended)
			command->line[command->line_len++] = data[i];
	}
}

static void close_output(struct command *command)
{
	if (command->output < 0)
		return;
	event_del(&command->readable);
	close(command->output);
	command->output = -1;
}

/* Past the limit it gets SIGPIPE. */
static void output_readable(evutil_socket_t fd, short what, void *arg)
{
	struct check *check = arg;
	struct command *command = check->state;
	char buf[OUTPUT_MAX];
	ssize_t len = read(fd, buf, sizeof(buf));

	(void)what;
	if (len > 0)
		note_output(command, buf, len);
	if (!len || (len < 0 && errno != EAGAIN) || command->read >= OUTPUT_MAX)
		close_output(command);
}

static void judge(struct check *check, int status)
{
	struct command *command = check->state;
	char text[RESULT_DETAIL_MAX];

	if (WIFSIGNALED(status)) {
		snprintf(text, sizeof(text), "SIG%s", sigabbrev_np(WTERMSIG(status)));
		return check_end(check, RESULT_FAILURE, REASON_KILLED, text);
	}
	snprintf(text, sizeof(text), "%d%s%.30s", WEXITSTATUS(status),
		 *command->line ? " " : "", command->line);
	if (!WEXITSTATUS(status))
		check_succeed(check, command->line);
	else if (WEXITSTATUS(status) == 1)
		check_end(check, RESULT_FAILURE, REASON_EXIT_CODE, text);
	else
		check_end(check, RESULT_VOID, REASON_CHECK_BROKEN, text);
}

static void ended(evutil_socket_t fd, short what, void *arg)
{
	struct check *check = arg;
	struct command *command = check->state;
	int status = 0;

	(void)fd;
	/* Kill its children. The number of the group is not reused before the process is
	 * waited for.
	 */
	kill(-command->pid, SIGKILL);
	if (waitpid(command->pid, &status, WNOHANG) <= 0)
		return;
	if (command->output >= 0)
		output_readable(command->output, what, check);
	command->pid = 0;
	event_del(&command->ended);
	judge(check, status);
}

static int spawn(struct check *check, int output)
{
	const json_t *words = check->keys->command;
	char address[ADDR_TEXT_MAX], of_address[ADDR_TEXT_MAX + 16], of_port[24];
	char *env[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", of_address, of_port, NULL };
	char *argv[HEALTH_COMMAND_MAX + 1] = { NULL };
	sigset_t all, before;
	char *port;
	size_t i;
	pid_t pid;

	for (i = 0; i < json_array_size(words); i++)
		argv[i] = (char *)json_string_value(json_array_get(words, i));
	check_address(check, address);
	port = strrchr(address, ':');
	*port++ = '\0';
	if (*address == '[')
		address[strlen(address) - 1] = '\0';
	snprintf(of_address, sizeof(of_address), "NFLB_ADDRESS=%s",
		 address + (*address == '['));
	snprintf(of_port, sizeof(of_port), "NFLB_PORT=%s", port);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	pid = fork();
	if (!pid)
		run(argv, env, output);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return pid;
}

static void watch(struct check *check, struct command *command)
{
	setpgid(command->pid, command->pid);
	fcntl(command->output, F_SETFL, O_NONBLOCK);
	event_assign(&command->readable, check->base, command->output,
		     EV_READ | EV_PERSIST, output_readable, check);
	event_add(&command->readable, NULL);
	command->pidfd = syscall(SYS_pidfd_open, command->pid, 0);
	if (command->pidfd < 0)
		return check_end_errno(check, errno);
	event_assign(&command->ended, check->base, command->pidfd, EV_READ | EV_PERSIST,
		     ended, check);
	event_add(&command->ended, NULL);
}

static void start(struct check *check)
{
	struct command *command = calloc(1, sizeof(*command));
	int pipes[2];

	reap_orphans();
	check->state = command;
	if (!command)
		return check_end(check, RESULT_VOID, REASON_NO_MEMORY, NULL);
	command->pidfd = -1;
	command->output = -1;
	if (pipe2(pipes, O_CLOEXEC))
		return check_end_errno(check, errno);
	command->pid = spawn(check, pipes[1]);
	close(pipes[1]);
	if (command->pid < 0) {
		command->pid = 0;
		close(pipes[0]);
		/* EAGAIN: there are too many processes. */
		return check_end(check, RESULT_VOID, REASON_NO_MEMORY, NULL);
	}
	command->output = pipes[0];
	watch(check, command);
}

static void expire(struct check *check)
{
	check_end(check, RESULT_FAILURE, REASON_TIMEOUT, NULL);
}

static void stop(struct check *check)
{
	struct command *command = check->state;

	if (!command)
		return;
	close_output(command);
	if (command->pid) {
		if (command->pidfd >= 0)
			event_del(&command->ended);
		kill_group(command->pid);
	}
	if (command->pidfd >= 0)
		close(command->pidfd);
	free(command);
}

const struct check_ops check_exec = { .start = start, .expire = expire, .stop = stop };
