// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
#define _GNU_SOURCE
#include "probe.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int port_parse(const char *text)
{
	char *end;
	long port = strtol(text, &end, 10);

	if (!*text || *end || port < 0 || port > 65535)
		fail("'%s' is no port", text);
	return (int)port;
}

static struct endpoint endpoint_v4(struct in_addr address, int port)
{
	struct endpoint endpoint = {.length = sizeof(struct sockaddr_in)};
	struct sockaddr_in *in = (struct sockaddr_in *)&endpoint.address;

	in->sin_family = AF_INET;
	in->sin_addr = address;
	in->sin_port = htons(port);
	return endpoint;
}

static struct endpoint endpoint_v6(struct in6_addr address, int port)
{
	struct endpoint endpoint = {.length = sizeof(struct sockaddr_in6)};
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&endpoint.address;

	in6->sin6_family = AF_INET6;
	in6->sin6_addr = address;
	in6->sin6_port = htons(port);
	return endpoint;
}

struct endpoint endpoint_parse(const char *address, const char *port, const char *family)
{
	int number = port_parse(port);
	struct in6_addr v6 = {0};
	struct in_addr v4;

	if (inet_pton(AF_INET, address, &v4) == 1) {
		if (!family || !strcmp(family, "4"))
			return endpoint_v4(v4, number);
		if (strcmp(family, "mapped"))
			fail("%s is no address of family %s", address, family);
		v6.s6_addr[10] = v6.s6_addr[11] = 0xff;
		memcpy(&v6.s6_addr[12], &v4, sizeof(v4));
		return endpoint_v6(v6, number);
	}
	if (inet_pton(AF_INET6, address, &v6) != 1)
		fail("'%s' is no address", address);
	if (family && strcmp(family, "6"))
		fail("%s is no address of family %s", address, family);
	return endpoint_v6(v6, number);
}

const char *endpoint_host(const struct endpoint *endpoint, char text[ENDPOINT_TEXT])
{
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&endpoint->address;
	const struct sockaddr_in *in = (const struct sockaddr_in *)&endpoint->address;

	if (endpoint->address.ss_family == AF_INET)
		inet_ntop(AF_INET, &in->sin_addr, text, ENDPOINT_TEXT);
	else if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr))
		inet_ntop(AF_INET, &in6->sin6_addr.s6_addr[12], text, ENDPOINT_TEXT);
	else
		inet_ntop(AF_INET6, &in6->sin6_addr, text, ENDPOINT_TEXT);
	return text;
}

const char *endpoint_text(const struct endpoint *endpoint, char text[ENDPOINT_TEXT])
{
	/* Port and address family are at the same place in both families' structures. */
	int port = ntohs(((const struct sockaddr_in *)&endpoint->address)->sin_port);
	char host[ENDPOINT_TEXT];

	endpoint_host(endpoint, host);
	snprintf(text, ENDPOINT_TEXT, strchr(host, ':') ? "[%.46s]:%d" : "%.46s:%d", host, port);
	return text;
}

const char *endpoint_local(int fd, char text[ENDPOINT_TEXT])
{
	struct endpoint local = {.length = sizeof(local.address)};

	if (getsockname(fd, (struct sockaddr *)&local.address, &local.length))
		return strcpy(text, "none");
	return endpoint_text(&local, text);
}

const char *endpoint_peer(int fd, char text[ENDPOINT_TEXT])
{
	struct endpoint peer = {.length = sizeof(peer.address)};

	if (getpeername(fd, (struct sockaddr *)&peer.address, &peer.length))
		return strcpy(text, "none");
	return endpoint_text(&peer, text);
}
