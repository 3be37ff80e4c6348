/* SPDX-License-Identifier: GPL-2.0 */
/* The version of the whole project; packaging and lbadm read it from here. */
#ifndef NFLB_VERSION_H
#define NFLB_VERSION_H

#define NFLB_VERSION "0.1.0"

#endif /* NFLB_VERSION_H */
