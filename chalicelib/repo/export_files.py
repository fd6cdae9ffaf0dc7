"""The bucket of exports: S3, through boto3, for nothing here is on the path of a message.

The document is put together as a multipart upload, whose parts but the last have at least 5 MiB.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from chalicelib.repo.s3 import s3, translated

_TYPE = "application/json"


class ExportFiles:
    """Objects, by keys that begin with whose they are; every method may be repeated."""

    def __init__(self, client: Callable[[], Any] = s3, bucket: str = "") -> None:
        self._client = client()
        self._bucket = bucket or os.environ["EXPORTS_BUCKET"]

    def begin(self, key: str) -> str:
        """Begins an object; the upload's id."""
        with translated():
            begun = self._client.create_multipart_upload(
                Bucket=self._bucket, Key=key, ContentType=_TYPE
            )
        return str(begun["UploadId"])

    def add(self, key: str, upload_id: str, number: int, data: bytes) -> str:
        """Uploads a part, from 1; what S3 calls it."""
        with translated():
            added = self._client.upload_part(
                Bucket=self._bucket, Key=key, UploadId=upload_id, PartNumber=number, Body=data
            )
        return str(added["ETag"])

    def complete(self, key: str, upload_id: str, parts: Sequence[str]) -> None:
        """Makes an object of the parts."""
        numbered = [{"PartNumber": at, "ETag": tag} for at, tag in enumerate(parts, 1)]
        with translated():
            try:
                self._client.complete_multipart_upload(
                    Bucket=self._bucket,
                    Key=key,
                    UploadId=upload_id,
                    MultipartUpload={"Parts": numbered},
                )
            except self._client.exceptions.NoSuchUpload:
                self._client.head_object(Bucket=self._bucket, Key=key)  # it was completed before

    def put(self, key: str, data: bytes) -> None:
        """Writes a small object."""
        with translated():
            self._client.put_object(Bucket=self._bucket, Key=key, Body=data)

    def get(self, key: str) -> bytes:
        """Reads one."""
        with translated():
            answer = self._client.get_object(Bucket=self._bucket, Key=key)
            with answer["Body"] as body:
                return bytes(body.read())

    def link(self, key: str, name: str, seconds: int) -> str:
        """A link from which anybody may download an object under this name for so long."""
        wanted = {
            "Bucket": self._bucket,
            "Key": key,
            "ResponseContentDisposition": f'attachment; filename="{name}"',
        }
        with translated():
            return str(self._client.generate_presigned_url("get_object", wanted, ExpiresIn=seconds))

    def delete_all(self, prefix: str) -> None:
        """Removes every object whose key begins so, and what was begun."""
        with translated():
            pages = self._client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self._bucket, Prefix=prefix):
                if found := [{"Key": one["Key"]} for one in page.get("Contents", ())]:
                    self._client.delete_objects(
                        Bucket=self._bucket, Delete={"Objects": found, "Quiet": True}
                    )
            begun = self._client.list_multipart_uploads(Bucket=self._bucket, Prefix=prefix)
            for one in begun.get("Uploads", ()):
                self._client.abort_multipart_upload(
                    Bucket=self._bucket, Key=one["Key"], UploadId=one["UploadId"]
                )
