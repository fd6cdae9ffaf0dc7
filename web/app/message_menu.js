export const EMOJI = ["👍", "❤️", "😂", "😮", "😢", "🎉"];

const leads = ({ group }) => ["owner", "admin"].includes(group?.role);

/** Whether the server lets me pin there, unless its policy lets every member. */
export const mayPin = (conversation) => (
  conversation.type === "direct" || (leads(conversation) && conversation.id !== "world"));

/**
 * What can be done with a message.
 * @param {object} message
 * @param {{myId: string, conversation: object, isPinned: boolean}} context
 * @returns {[string, string][]} Names of actions with their labels.
 */
export function choicesOf(message, { myId, conversation, isPinned }) {
  const { id } = conversation;
  const isMine = message.sender_id === myId;
  const isGone = message.recalled || message.deleted;
  const mayRecall = isMine || (leads(conversation) && id !== "world");
  const choices = [
    [!isGone, "reply", "Reply"],
    [!isGone, "forward", "Forward"],
    [!isGone && message.content, "copy", "Copy text"],
    [!isGone && isMine && message.type === "text", "edit", "Edit"],
    [!isGone && mayPin(conversation), isPinned ? "unpin" : "pin", isPinned ? "Unpin" : "Pin"],
    [!isGone && isMine && id !== "world", "readers", "Who has read this"],
    [!isGone && mayRecall, "recall", "Recall for everybody"],
    [!message.deleted, "delete", "Delete for me"],
  ];
  return choices.filter(([fits]) => fits).map(([, name, label]) => [name, label]);
}
