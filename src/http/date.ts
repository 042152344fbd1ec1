/** An IMF-fixdate (RFC 9110 §5.6.7) of a time in milliseconds since 1970; made once a second. */
export class HttpDate {
  private second = Number.NaN;
  private text = "";

  at(milliseconds: number): string {
    const second = Math.floor(milliseconds / 1_000);
    if (second !== this.second) {
      this.second = second;
      this.text = new Date(second * 1_000).toUTCString();
    }
    return this.text;
  }
}
