/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A recorded H.264 stream, given out frame by frame: read by request_firmware() from testcodec/<width>x<height>.bin, which
 * is a row of
 *
 *	le32 length, le32 start of the first slice, le32 flags (1: key frame), bytes
 *
 * Frames are padded to the bit rate asked for by an SEI message in front of the slice, so a change of the bit rate shows at
 * the other end.
 */
#ifndef RECORDED_H
#define RECORDED_H

#include <linux/firmware.h>
#include <linux/math64.h>
#include <linux/videodev2.h>
#include <media/videobuf2-v4l2.h>

#define RECORDED_HEADER 12

struct recorded {
	const struct firmware *file;
	size_t at;
	u32 bitrate; /* in bit/s */
	struct v4l2_fract interval;
};

static const u8 recorded_sei[] = { 0, 0, 0, 1, 6, 5 };

/* What a buffer of a frame of this size has to hold. */
static inline u32 recorded_bytes(u32 width, u32 height)
{
	return max_t(u32, 512 << 10, width * height / 2);
}

/* The only format it has (VIDIOC_ENUM_FMT). */
static inline int recorded_format(struct file *file, void *fh, struct v4l2_fmtdesc *d)
{
	if (d->index)
		return -EINVAL;
	d->pixelformat = V4L2_PIX_FMT_H264;
	d->flags = V4L2_FMT_FLAG_COMPRESSED;
	return 0;
}

/* From its beginning. */
static inline int recorded_open(struct recorded *r, u32 width, u32 height, struct device *device)
{
	char name[40];

	release_firmware(r->file);
	r->file = NULL;
	r->at = 0;
	snprintf(name, sizeof(name), "testcodec/%ux%u.bin", width, height);
	return request_firmware(&r->file, name, device);
}

static inline u32 recorded_le32(const u8 *bytes)
{
	return bytes[0] | bytes[1] << 8 | bytes[2] << 16 | (u32)bytes[3] << 24;
}

/* How much an SEI message has to hold for the frame to have its share of the bit rate; 0: none. */
static inline u32 recorded_padding(const struct recorded *r, u32 length)
{
	u32 share = div_u64((u64)r->bitrate * r->interval.numerator, 8 * r->interval.denominator);
	u32 around = sizeof(recorded_sei) + share / 255 + 2;

	return share > length + around + 32 ? share - length - around : 0;
}

static inline u8 *recorded_put_padding(u8 *to, u32 bytes)
{
	u32 left = bytes;

	memcpy(to, recorded_sei, sizeof(recorded_sei));
	to += sizeof(recorded_sei);
	for (; left >= 255; left -= 255)
		*to++ = 255;
	*to++ = left;
	memset(to, 0x55, bytes);
	to += bytes;
	*to++ = 0x80; /* the end of the bits of a NAL unit */
	return to;
}

/* Puts the next frame into a buffer, or the first one. */
static inline bool recorded_next(struct recorded *r, struct vb2_v4l2_buffer *to, bool from_key_frame)
{
	size_t size = r->file->size;
	u32 length, slice, flags, pad;
	const u8 *from;
	u8 *at, *start = vb2_plane_vaddr(&to->vb2_buf, 0);

	if (from_key_frame || r->at + RECORDED_HEADER > size)
		r->at = 0;
	from = r->file->data + r->at;
	length = recorded_le32(from);
	slice = recorded_le32(from + 4);
	flags = recorded_le32(from + 8);
	if (length > size || r->at + RECORDED_HEADER + length > size || slice > length)
		return false;
	from += RECORDED_HEADER;
	pad = recorded_padding(r, length);
	if (length + pad + pad / 255 + 16 > vb2_plane_size(&to->vb2_buf, 0))
		pad = 0;
	if (length > vb2_plane_size(&to->vb2_buf, 0))
		return false;
	memcpy(start, from, slice);
	at = start + slice;
	if (pad)
		at = recorded_put_padding(at, pad);
	memcpy(at, from + slice, length - slice);
	at += length - slice;
	vb2_set_plane_payload(&to->vb2_buf, 0, at - start);
	r->at += RECORDED_HEADER + length;
	to->flags &= ~(V4L2_BUF_FLAG_KEYFRAME | V4L2_BUF_FLAG_PFRAME | V4L2_BUF_FLAG_LAST);
	to->flags |= flags & 1 ? V4L2_BUF_FLAG_KEYFRAME : V4L2_BUF_FLAG_PFRAME;
	return true;
}

#endif
