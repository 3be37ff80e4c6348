/* SPDX-License-Identifier: GPL-2.0 */
/*
 * lbadm connection save, restore
 */
#ifndef LBADM_CONNECTION_RECORDS_H
#define LBADM_CONNECTION_RECORDS_H

#include "lbadm.h"

int connection_save(struct words *words);
int connection_restore(struct words *words);

#endif /* LBADM_CONNECTION_RECORDS_H */
