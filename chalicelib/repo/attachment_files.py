"""The bucket of attachments: clients put objects there, and get them, with signed links.

An object is uploaded with the tag ``state=pending``, which the bucket's lifecycle deletes after a
day (infra/storage.yaml); what was sent has another tag and stays.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from chalicelib.models import Attachment, StoredObject, Upload
from chalicelib.repo.s3 import s3, translated

_MISSING = ("404", "NoSuchKey")


class AttachmentFiles:
    """Objects by their keys."""

    def __init__(self, client: Callable[[], Any] = s3, bucket: str = "") -> None:
        self._client = client()
        self._bucket = bucket or os.environ["ATTACHMENTS_BUCKET"]

    def upload(self, key: str, attachment: Attachment, seconds: int) -> Upload:
        """A link for one PUT: S3 itself refuses another size or type, and a second object."""
        headers = {
            "Content-Type": attachment.content_type,
            "Content-Length": str(attachment.size),
            "If-None-Match": "*",
            "x-amz-tagging": "state=pending",
        }
        wanted = {
            "Bucket": self._bucket,
            "Key": key,
            "ContentType": attachment.content_type,
            "ContentLength": attachment.size,
            "IfNoneMatch": "*",
            "Tagging": "state=pending",
        }
        with translated():
            url = self._client.generate_presigned_url("put_object", wanted, ExpiresIn=seconds)
        return Upload(str(url), headers)

    def find(self, key: str) -> StoredObject | None:
        """What was uploaded."""
        with translated():
            try:
                found = self._client.head_object(Bucket=self._bucket, Key=key)
            except self._client.exceptions.ClientError as error:
                if error.response["Error"]["Code"] in _MISSING:
                    return None
                raise
        return StoredObject(found["ContentLength"], found["ContentType"])

    def keep(self, key: str) -> bool:
        """Has an object stay; False where it is gone."""
        tags = {"TagSet": [{"Key": "state", "Value": "sent"}]}
        with translated():
            try:
                self._client.put_object_tagging(Bucket=self._bucket, Key=key, Tagging=tags)
            except self._client.exceptions.ClientError as error:
                if error.response["Error"]["Code"] in _MISSING:
                    return False
                raise
        return True

    def link(self, key: str, *, disposition: str, content_type: str, seconds: int) -> str:
        """A link from which anybody may download an object for so long."""
        wanted = {
            "Bucket": self._bucket,
            "Key": key,
            "ResponseContentDisposition": disposition,
            "ResponseContentType": content_type,
        }
        with translated():
            return str(self._client.generate_presigned_url("get_object", wanted, ExpiresIn=seconds))

    def page(self, prefix: str, *, after: str, limit: int) -> list[str]:
        """Some keys that begin so, in order, after another one."""
        with translated():
            found = self._client.list_objects_v2(
                Bucket=self._bucket, Prefix=prefix, StartAfter=after, MaxKeys=limit
            )
        return [one["Key"] for one in found.get("Contents", ())]

    def delete(self, key: str) -> None:
        """Removes an object; none is no fault."""
        with translated():
            self._client.delete_object(Bucket=self._bucket, Key=key)
