// SPDX-License-Identifier: GPL-2.0
/*
 * Events as records of the journal, or as lines.
 */
#include "event.h"

#include <inttypes.h>
#include <stdio.h>
#include <systemd/sd-journal.h>

#include "compose.h"
#include "control.h"
#include "log.h"
#include "model/names.h"

/* One for each kind of event; documented, scripts rely on them. */
#define MESSAGE_VERDICT		"3d2f1c5e0b7a4f0f9a5b1d8c6e74f201"
#define MESSAGE_VOID		"3d2f1c5e0b7a4f0f9a5b1d8c6e74f202"
#define MESSAGE_CERTIFICATE	"3d2f1c5e0b7a4f0f9a5b1d8c6e74f203"
#define MESSAGE_MISCONFIGURED	"3d2f1c5e0b7a4f0f9a5b1d8c6e74f204"
#define MESSAGE_WARNING		"3d2f1c5e0b7a4f0f9a5b1d8c6e74f205"
#define MESSAGE_AGENT		"3d2f1c5e0b7a4f0f9a5b1d8c6e74f206"

static bool silent;

void event_silence(void)
{
	silent = true;
}

static void put(const struct target *target, const char *kind, const char *id,
		int priority, const char *text)
{
	char service[SUBJECT_MAX], backend[SUBJECT_MAX], reason[RESULT_TEXT_MAX];

	if (silent)
		return;
	control_publish(kind, target, text);
	if (!log_is_journal()) {
		log_line(priority, "%s", text);
		return;
	}
	sd_journal_send("MESSAGE_ID=%s", id, "PRIORITY=%d", priority, "MESSAGE=%s", text,
			"NFLB_SERVICE=%s", subject_service(service, &target->service->id),
			"NFLB_BACKEND=%s", subject_backend(backend, &target->backend),
			"NFLB_HEALTH=%s", names_get(&health_names, compose_health(target)),
			"NFLB_REASON=%s", result_text(&target->last, reason), NULL);
}

void event_verdict(const struct target *target, enum nflb_health before, uint64_t lasted)
{
	char subject[TARGET_TEXT_MAX], reason[RESULT_TEXT_MAX];
	char text[TARGET_TEXT_MAX + RESULT_TEXT_MAX + 128];

	result_text(&target->last, reason);
	snprintf(text, sizeof(text), "%s: %s%s%s (%s for %" PRIu64 " s)%s",
		 target_text(target, subject),
		 names_get(&health_names, target->verdict.health),
		 *reason ? ": " : "", reason, names_get(&health_names, before), lasted,
		 compose_is_held(target) ? ", held unhealthy: it fails often" :
		 target->check.dry_run ? ", dry run" : "");
	put(target, "verdict", MESSAGE_VERDICT, target->verdict.health == NFLB_HEALTH_HEALTHY ?
	    LOG_NOTICE : LOG_WARNING, text);
}

void event_agent(const struct target *target)
{
	const struct answer_state *lowered = &target->lowered;
	char subject[TARGET_TEXT_MAX], text[TARGET_TEXT_MAX + 128];

	snprintf(text, sizeof(text), "%s: agent: %s%s%s, weight %u%%%s",
		 target_text(target, subject), lowered->down ? lowered->word : "up",
		 lowered->maint ? ", maint" : "", lowered->drain ? ", drain" : "",
		 lowered->weight, target->check.dry_run ? ", dry run" : "");
	put(target, "agent", MESSAGE_AGENT, LOG_NOTICE, text);
}

void event_void(const struct target *target)
{
	char subject[TARGET_TEXT_MAX], reason[RESULT_TEXT_MAX];
	char text[TARGET_TEXT_MAX + RESULT_TEXT_MAX + 128];

	snprintf(text, sizeof(text), "%s: %u checks in a row had no result: %s",
		 target_text(target, subject), target->verdict.voids,
		 result_text(&target->last, reason));
	put(target, "void", MESSAGE_VOID, LOG_WARNING, text);
}

void event_certificate(const struct target *target)
{
	char subject[TARGET_TEXT_MAX], text[TARGET_TEXT_MAX + 128];

	snprintf(text, sizeof(text), target->last.expires < 0 ?
		 "%s: the certificate has expired" :
		 "%s: the certificate expires in %d days", target_text(target, subject),
		 target->last.expires);
	put(target, "certificate", MESSAGE_CERTIFICATE, LOG_WARNING, text);
}

void event_misconfigured(const struct target *target)
{
	char subject[TARGET_TEXT_MAX], text[TARGET_TEXT_MAX + sizeof(target->why) + 64];

	snprintf(text, sizeof(text), "%s: not checked: %s", target_text(target, subject),
		 target->why);
	put(target, "misconfigured", MESSAGE_MISCONFIGURED, LOG_ERR, text);
}

void event_warning(const struct target *target, const char *why)
{
	char subject[TARGET_TEXT_MAX], text[TARGET_TEXT_MAX + 256];

	snprintf(text, sizeof(text), "%s: %s", target_text(target, subject), why);
	put(target, "warning", MESSAGE_WARNING, LOG_WARNING, text);
}
