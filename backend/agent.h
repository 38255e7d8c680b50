/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * agent.h - the machine side: a process with one poll loop that answers a
 * client over JSON-RPC (methods in codec/session.h) and keeps a collector
 * child for everything that may block or die.
 */
#ifndef GS_BACKEND_AGENT_H
#define GS_BACKEND_AGENT_H

#include "backend/machine.h"

/* Serve the client on @fd_in/@fd_out until it closes. Returns an exit status. */
int gs_agent_serve(const struct gs_machine_options *options, int fd_in, int fd_out);

/* The collector child: serves its agent on fds 0 and 1 (methods in collector.h). Returns an exit status. */
int gs_collector_serve(const struct gs_machine_options *options, int fd_in, int fd_out);

/* One collection, published for unprivileged viewers, then exit: what the timer unit runs. */
int gs_agent_publish_once(const struct gs_machine_options *options);

#endif
