import { announcement } from "../engine/announce.ts";

/** For screen readers. */
export function Announcements() {
  return (
    <p class="unseen" role="status">
      {announcement.value}
    </p>
  );
}
