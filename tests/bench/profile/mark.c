// SPDX-License-Identifier: GPL-2.0
/* The instruction that profile.c waits for, which does nothing. */
int main(void)
{
	__asm__ volatile(".byte 0x0f, 0x1f, 0x80, 0x6e, 0x62, 0x6c, 0x00");
	return 0;
}
