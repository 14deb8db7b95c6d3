"""files.*: the two calls of an upload, and reading."""

from bot.localslack.methods.registry import method, need
from bot.localslack.workspace import File, Json, SlackError, Workspace


@method("files.getUploadURLExternal", "files:write")
def upload_url(workspace: Workspace, arguments: Json) -> Json:
    file = File(workspace.new_id("F"), str(need(arguments, "filename")), int(need(arguments, "length")))
    file.alt_text = str(arguments.get("alt_txt") or "")
    workspace.files[file.id] = file
    return {"file_id": file.id, "upload_url": f"{workspace.base_url}/upload/{file.id}"}


@method("files.completeUploadExternal", "files:write")
def complete(workspace: Workspace, arguments: Json) -> Json:
    done = []
    for wanted in need(arguments, "files"):
        file = _file(workspace, wanted["id"])
        if len(file.content) != file.size:
            raise SlackError("file_upload_size_mismatch")
        file.title, file.shared = wanted.get("title") or file.name, True
        done.append(as_object(workspace, file))
    if channel_id := arguments.get("channel_id"):
        channel = workspace.direct_message(channel_id) if channel_id.startswith("U") else workspace.channel(channel_id)
        more = {"files": done, "subtype": "file_share", "thread_ts": arguments.get("thread_ts")}
        workspace.post(channel, workspace.bot_message(arguments.get("initial_comment") or "", [], **more))
    return {"files": done}


@method("files.info", "files:read")
def info(workspace: Workspace, arguments: Json) -> Json:
    return {"file": as_object(workspace, _file(workspace, need(arguments, "file")))}


@method("files.delete", "files:write")
def delete(workspace: Workspace, arguments: Json) -> Json:
    del workspace.files[_file(workspace, need(arguments, "file")).id]
    return {}


def as_object(workspace: Workspace, file: File) -> Json:
    return {
        "id": file.id,
        "name": file.name,
        "title": file.title or file.name,
        "size": file.size,
        **({"alt_txt": file.alt_text} if file.alt_text else {}),
        "filetype": file.name.rpartition(".")[2],
        "url_private": f"{workspace.base_url}/files/{file.id}/{file.name}",
        "url_private_download": f"{workspace.base_url}/files/{file.id}/{file.name}",
    }


def _file(workspace: Workspace, file_id: str) -> File:
    if file_id not in workspace.files:
        raise SlackError("file_not_found")
    return workspace.files[file_id]
