// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Linux.Tests;

public sealed class ErrnoTests
{
    [Fact]
    public void An_exception_says_what_was_attempted_and_the_error_by_name()
    {
        LinuxException exception = new("create map frontends_v1 (131072 entries)", Errno.ENOMEM);

        Assert.Equal("create map frontends_v1 (131072 entries): ENOMEM (Cannot allocate memory)", exception.Message);
        Assert.Equal(Errno.ENOMEM, exception.Errno);
    }

    [Fact]
    public void An_error_without_a_name_is_a_number() => Assert.Equal("errno 4095", ((Errno)4095).Name());

    [Fact]
    public void The_error_internal_to_the_kernel_is_told_in_words()
        => Assert.Equal("ENOTSUPP (Operation not supported by this kernel)", Errno.ENOTSUPP.Describe());
}
